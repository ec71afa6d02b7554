// The system calls of one run, as a pane shows them: the newest hundred thousand one by one, the exact number of
// all. A call that may sleep comes twice with one n, entered and then done: it keeps its place and is replaced.
import type { EventOf, Syscall } from "../../server-labs/protocol.ts";

/** One line of the pane: a call, or what the lab server counted instead of sending. */
export type CallRow =
  | {
      type: "call";
      call: Syscall /** What it says, as a number: equal for equal calls; made when it is asked. */;
      says?: number;
    }
  | EventOf<"syscalls-omitted">
  | EventOf<"gap">;

/** Calls that stay in the page; older ones are counted. */
const callsKept = 100_000;

/** A growing list that forgets its oldest rows. Read it by index; `version` changes with every change. */
export class Calls {
  /** Changes whenever a row was added or replaced. */
  version = 0;
  /** How many calls the program has made, as far as it is known here: exact, shown or not. */
  total = 0;
  /** Rows forgotten here because newer ones came. */
  forgotten = 0;
  /** Of the rows that can be read now: those that are one call each. The rest of `total` is counted, and no more. */
  single = 0;
  /** The newest call that says in which line it was made; in a flood not every call does. */
  lined: Syscall | null = null;
  readonly #keep: number;
  #rows: CallRow[] = [];
  /** Calls that have not returned: n → place among all rows ever added. */
  readonly #inside = new Map<number, number>();

  constructor(keep = callsKept) {
    this.#keep = keep;
  }

  /** Rows that can be read now. */
  get length(): number {
    return this.#rows.length;
  }

  /** The place, among all rows ever, of the newest row when it is a call that has not returned; else null. */
  get open(): number | null {
    const last = this.#rows.at(-1);
    return last?.type === "call" && last.call.took === null ? this.forgotten + this.#rows.length - 1 : null;
  }

  /** @param index 0 is the oldest row still kept. */
  row(index: number): CallRow | undefined {
    return this.#rows[index];
  }

  /** The call with this number, when it is kept one by one; those that are looked for are among the newest. */
  find(n: number): Syscall | null {
    for (let i = this.#rows.length - 1; i >= 0; i--) {
      const row = this.#rows[i]!;
      if (row.type === "call" && row.call.n <= n) return row.call.n === n ? row.call : null;
    }
    return null;
  }

  add(event: EventOf<"syscalls"> | EventOf<"syscalls-omitted"> | EventOf<"gap">): void {
    if (event.type === "syscalls") for (const call of event.calls) this.#call(call);
    else this.#push(event);
    if (event.type === "syscalls-omitted") this.total = Math.max(this.total, event.first + event.count);
    this.version++;
  }

  #call(call: Syscall): void {
    const place = this.#inside.get(call.n);
    this.total = Math.max(this.total, call.n + 1);
    if (call.line !== null && call.n >= (this.lined?.n ?? 0)) this.lined = call;
    if (call.took !== null) this.#inside.delete(call.n);
    if (place === undefined) {
      if (call.took === null) this.#inside.set(call.n, this.forgotten + this.#rows.length);
      this.#push({ type: "call", call });
    } else if (place >= this.forgotten) {
      this.#rows[place - this.forgotten] = { type: "call", call };
    }
  }

  #push(row: CallRow): void {
    this.#rows.push(row);
    if (row.type === "call") this.single++;
    // Forget in slices: shift() of one row at a time would move the whole array for every call.
    const tooMany = this.#rows.length - this.#keep;
    if (tooMany < this.#keep / 10 + 1) return;
    for (let i = 0; i < tooMany; i++) if (this.#rows[i]!.type === "call") this.single--;
    this.#rows = this.#rows.slice(tooMany);
    this.forgotten += tooMany;
  }
}
