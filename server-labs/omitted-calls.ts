// System calls that are left out because there are too many: counts by name, and the newest ones whole, so that
// the last calls before a silence or a crash are always shown.
import { limits, type Syscall } from "./protocol.ts";

export class OmittedCalls {
  readonly #first: number;
  #count = 0;
  #byName = new Map<string, number>();
  #tail: { name: string; n: number; record: Buffer; who: Syscall["who"] }[] = [];

  constructor(first: number) {
    this.#first = first;
  }

  /** @param record only of calls that may be among the newest; a copy is made */
  add(name: string, count: number, n: number, record?: Buffer, who?: Syscall["who"]): void {
    this.#count += count;
    this.#byName.set(name, (this.#byName.get(name) ?? 0) + count);
    if (record) this.#tail.push({ name, n, record: Buffer.from(record), who });
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
    for (const { name } of tail) {
      const left = this.#byName.get(name)! - 1;
      if (left > 0) this.#byName.set(name, left);
      else this.#byName.delete(name);
    }
    const count = this.#count - tail.length;
    return { first: this.#first, count, byName: Object.fromEntries(this.#byName), tail };
  }
}
