// System calls that are left out because there are too many: counts by name, and the newest ones whole, so that
// the last calls before a silence or a crash are always shown.
import { limits, type Syscall } from "./protocol.ts";
import { tracedCalls } from "./trace-layout.ts";

export class OmittedCalls {
  readonly #first: number;
  #count = 0;
  /** By index in tracedCalls: half a million are counted in a second. */
  readonly #counts = new Float64Array(tracedCalls.length);
  #tail: { call: number; n: number; record: Buffer; who: Syscall["who"] }[] = [];

  constructor(first: number) {
    this.#first = first;
  }

  /**
   * @param call index in tracedCalls; 0, which is "?", for one that is not known
   * @param record only of calls that may be among the newest; a copy is made
   */
  add(call: number, count: number, n: number, record?: Buffer, who?: Syscall["who"]): void {
    this.#count += count;
    this.#counts[call]! += count;
    if (record) this.#tail.push({ call, n, record: Buffer.from(record), who });
    // It tears the tail: what follows it must be in one piece.
    else if (this.#tail.length > 0) this.#tail = [];
    if (this.#tail.length >= 2 * limits.syscallsTail) this.#tail.splice(0, limits.syscallsTail);
  }

  replace(n: number, record: Buffer, who: Syscall["who"]): boolean {
    const last = this.#tail.at(-1);
    if (last?.n !== n) return false;
    last.record = Buffer.from(record);
    last.who = who;
    return true;
  }

  close() {
    const tail = this.#tail.slice(-limits.syscallsTail);
    for (const { call } of tail) this.#counts[call]! -= 1;
    const byName = Object.fromEntries(
      tracedCalls.map((name, call) => [name, this.#counts[call]!] as const).filter(([, count]) => count > 0),
    );
    const count = this.#count - tail.length;
    return { first: this.#first, count, byName, tail };
  }
}
