// Memory meter. Asks the program under test how much memory it uses without garbage. The kernel's count of its memory has
// the garbage in it, some 30 MB of V8's, in which a leak of hundreds of clients is lost.
import type { Duplex } from "node:stream";
import * as v from "valibot";
import { JsonLines } from "../lib/json-lines.ts";

export interface MemoryUse {
  /** Bytes of its objects and Buffers that are still in use. */
  bytes: number;
  /** Function calls that have not returned yet. */
  frames: number;
}

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const measured = v.object({ type: v.literal("measured"), id: whole, bytes: whole, frames: whole });
const lineBytes = 4096;

export class MemoryMeter {
  readonly #control: Duplex;
  readonly #raise: (count: number) => void;
  readonly #lines = new JsonLines(lineBytes);
  #asked = 0;
  #answer: (MemoryUse & { id: number }) | null = null;

  /**
   * @param control the control socket of the program
   * @param raise raises the command word in its trace memory: the program looks at it at each system call
   */
  constructor(control: Duplex, raise: (count: number) => void) {
    this.#control = control;
    this.#raise = raise;
    control.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  /** Asks. @returns a probe for the answer, which comes with the program's next system call; null until then */
  ask(): () => MemoryUse | null {
    const id = ++this.#asked;
    this.#control.write(`${JSON.stringify({ type: "measure", id })}\n`, error => {
      if (!error) this.#raise(id);
    });
    return () => (this.#answer?.id === id ? this.#answer : null);
  }

  #receive(chunk: Buffer): void {
    for (const line of this.#lines.push(chunk)) {
      // The program may write what it likes there: an empty line is the runtime's, and says that there is a call to see.
      const { success, output } = v.safeParse(measured, line.kind === "value" ? line.value : null);
      if (success) this.#answer = output;
    }
  }
}
