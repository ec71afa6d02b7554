// The lab server's end of a program's control socket: says commands, and hears what the program claims. Whatever comes
// is bounded and checked; what is not as it should be is counted and forgotten, for the student may write there, too.
import type { Duplex } from "node:stream";
import * as v from "valibot";
import { paceLimits, type WrapperCommand, type WrapperSays, wrapperSays } from "./protocol.ts";

/** The answer to a peek of `peekedFds` descriptors, each of ten digits at most. */
const lineBytes = 64 * paceLimits.peekedFds;
const peekMs = 200;

export interface WrapperOptions {
  /** Raises the command word in the trace memory to this count. */
  raise(count: number): void;
  heard(says: Exclude<WrapperSays, { type: "peeked" }>): void;
  /** There is something to see in the trace. */
  look(): void;
}

export class Wrapper {
  readonly #control: Duplex;
  readonly #options: WrapperOptions;
  #commands = 0;
  #line = "";
  #tooLong = false;
  #peeks = 0;
  #peek: { id: number; answer: (fds: Map<number, number>) => void } | null = null;
  /** Lines that were none of ours. */
  garbage = 0;

  constructor(control: Duplex, options: WrapperOptions) {
    this.#control = control;
    this.#options = options;
  }

  say(command: WrapperCommand): void {
    this.#write(command, () => this.#options.raise(++this.#commands));
  }

  /**
   * What poll(2) says of each of these descriptors; null when the program is not at a boundary to say it. It takes no
   * descriptor's readiness away.
   */
  async peek(fds: number[]): Promise<Map<number, number> | null> {
    // Unanswered: it is inside a call. To ask again would only fill the socket.
    if (this.#peek || fds.length === 0) return fds.length === 0 ? new Map() : null;
    const id = ++this.#peeks;
    const answered = new Promise<Map<number, number>>(answer => {
      this.#peek = { id, answer };
    });
    // Without raising the word: a program that waits is listening, one that runs is not to be held up by this.
    this.#write({ type: "peek", id, fds: fds.slice(0, paceLimits.peekedFds) });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>(resolve => {
      timer = setTimeout(resolve, peekMs, null);
    });
    const answer = await Promise.race([answered, late]);
    clearTimeout(timer);
    return answer;
  }

  /** Takes what came on the socket. */
  hear(chunk: Buffer): void {
    const lines = (this.#line + chunk.toString("latin1")).split("\n");
    this.#line = lines.pop()!;
    let look = false;
    for (const line of lines) {
      if (this.#tooLong || line.length > lineBytes) this.garbage++;
      else if (line === "") look = true;
      else this.#take(line);
      this.#tooLong = false;
    }
    if (this.#line.length > lineBytes) {
      this.#line = "";
      this.#tooLong = true;
    }
    if (look) this.#options.look();
  }

  #write(command: WrapperCommand, written?: () => void): void {
    if (!this.#control.writable) return;
    // Only what is written raises the word; and writes end in the order in which they began.
    this.#control.write(`${JSON.stringify(command)}\n`, error => {
      if (!error) written?.();
    });
  }

  #take(line: string): void {
    const says = claim(line);
    if (says === null) this.garbage++;
    else if (says.type !== "peeked") this.#options.heard(says);
    else if (says.id !== this.#peek?.id) this.garbage++;
    else {
      this.#peek.answer(new Map(says.fds));
      this.#peek = null;
    }
  }
}

/** What a line says, if it is one of ours. */
function claim(line: string): WrapperSays | null {
  try {
    const { success, output } = v.safeParse(wrapperSays, JSON.parse(line));
    return success ? output : null;
  } catch {
    return null;
  }
}
