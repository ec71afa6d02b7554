// Wrapper. The lab server's end of a program's control socket: sends commands, and receives what the program claims.
// Every line is bounded and checked, and a line that does not fit is counted and dropped: the student may write there, too.
import type { Duplex } from "node:stream";
import * as v from "valibot";
import { JsonLines } from "../lib/json-lines.ts";
import { paceLimits, type WrapperCommand, type WrapperSays, wrapperSays } from "../protocol.ts";

/** The answer to a peek of `peekedFds` descriptors, each of ten digits at most. */
const lineBytes = 64 * paceLimits.peekedFds;
const peekMs = 200;

export interface WrapperOptions {
  /** Raises the command word in the trace memory to this count. */
  raise(count: number): void;
  onMessage(message: Exclude<WrapperSays, { type: "peeked" }>): void;
  /** There is something to see in the trace. */
  onLook(): void;
}

export class Wrapper {
  readonly #control: Duplex;
  readonly #options: WrapperOptions;
  #commands = 0;
  readonly #lines = new JsonLines(lineBytes);
  #peeks = 0;
  #peek: { id: number; answer: (fds: Map<number, number>) => void } | null = null;
  /** Lines that did not fit. */
  garbage = 0;

  constructor(control: Duplex, options: WrapperOptions) {
    this.#control = control;
    this.#options = options;
  }

  /** Sends a command, and raises the command word when it is written. */
  send(command: WrapperCommand): void {
    this.#write(command, () => this.#options.raise(++this.#commands));
  }

  /**
   * What poll(2) with no time-out returns for each of these descriptors; it takes no descriptor's readiness away.
   * @returns fd → revents; null when the program does not answer within 0.2 s, as it is not at a boundary
   */
  async peek(fds: number[]): Promise<Map<number, number> | null> {
    // Not answered yet: the program is inside a call, and a second peek would only fill the socket.
    if (this.#peek || fds.length === 0) return fds.length === 0 ? new Map() : null;
    const id = ++this.#peeks;
    const answered = new Promise<Map<number, number>>(answer => {
      this.#peek = { id, answer };
    });
    // Without raising the word: a program that waits reads the socket, and one that runs must not be slowed by this.
    this.#write({ type: "peek", id, fds: fds.slice(0, paceLimits.peekedFds) });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>(resolve => {
      timer = setTimeout(resolve, peekMs, null);
    });
    const answer = await Promise.race([answered, late]);
    clearTimeout(timer);
    return answer;
  }

  /** Takes the bytes that came on the socket. */
  receive(chunk: Buffer): void {
    let look = false;
    for (const line of this.#lines.push(chunk)) {
      if (line.kind === "empty") look = true;
      else if (line.kind === "value") this.#receiveLine(line.value);
      else this.garbage++;
    }
    if (look) this.#options.onLook();
  }

  #write(command: WrapperCommand, written?: () => void): void {
    if (!this.#control.writable) return;
    // Only a command that is written raises the word; writes end in the order in which they started.
    this.#control.write(`${JSON.stringify(command)}\n`, error => {
      if (!error) written?.();
    });
  }

  #receiveLine(value: unknown): void {
    const { success, output: message } = v.safeParse(wrapperSays, value);
    if (!success) this.garbage++;
    else if (message.type !== "peeked") this.#options.onMessage(message);
    else if (message.id !== this.#peek?.id) this.garbage++;
    else {
      this.#peek.answer(new Map(message.fds));
      this.#peek = null;
    }
  }
}
