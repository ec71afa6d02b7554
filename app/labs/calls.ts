// Calls of a run. A pane shows some hundred thousand one by one, and the exact number of all: the newest whole, and of the
// older ones those that matter (thin-rows.ts).
// A call that may sleep comes twice with one n, entered and then done: it keeps its place and is replaced.
import type { CallRecord, EventOf } from "../../server-labs/protocol.ts";
import { type CallListRow, type PlacedRow, thinned } from "./thin-rows.ts";

/** Rows that stay in the page. */
const rowsKept = 100_000;
/** The part of them that is the newest rows, whole. */
const newestPart = 0.6;

/**
 * A growing list that makes room among its older rows. Read it by index; `version` changes with every change, and
 * `thinnings` whenever rows were taken out of it: then a row has another index, but its place among all rows ever.
 */
export class CallList {
  version = 0;
  thinnings = 0;
  /** The places between which the last of them has changed rows. */
  thinned = { from: 0, to: 0 };
  /** How many calls the program has made, as far as it is known here: exact, shown or not. */
  total = 0;
  /** Rows ever added: the place of the next one. */
  added = 0;
  /** Of the rows that can be read now: those that are one call each. The rest of `total` is counted, and no more. */
  single = 0;
  /** Calls that opened or closed a descriptor are not among the rows: what is not seen may have happened all the same. */
  incomplete = false;
  /** All that happened until then is here, in milliseconds of the run: the lab server's clock, whatever came late. */
  until = 0;
  /** The newest call that says in which line it was made; in a flood not every call does. */
  lined: CallRecord | null = null;
  readonly #keep: number;
  #rows: PlacedRow[] = [];
  /** Calls that have not returned: n → place. */
  readonly #inside = new Map<number, number>();

  constructor(keep = rowsKept) {
    this.#keep = keep;
  }

  /** Rows that can be read now. */
  get length(): number {
    return this.#rows.length;
  }

  /** The place of the newest row when it is a call that has not returned; else null. */
  get open(): number | null {
    const last = this.#rows.at(-1);
    return last?.row.type === "call" && last.row.call.took === null ? last.place : null;
  }

  /** @param index 0 is the oldest row still kept. */
  row(index: number): CallListRow | undefined {
    return this.#rows[index]?.row;
  }

  /** The place of a row among all rows ever added. */
  placeOf(index: number): number {
    return this.#rows[index]?.place ?? this.added;
  }

  /** The index of the first row that has this place or a later one. */
  indexFrom(place: number): number {
    const rows = this.#rows;
    // Nearly all look-ups are of the newest rows, where no row was taken out.
    const newest = rows.length - (this.added - place);
    if (newest >= 0 && rows[newest]?.place === place) return newest;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle]!.place < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The row at a place; undefined when it is counted by now. */
  at(place: number): CallListRow | undefined {
    const found = this.#rows[this.indexFrom(place)];
    return found?.place === place ? found.row : undefined;
  }

  /** The call with this number, when it is kept one by one; those that are looked for are among the newest. */
  find(n: number): CallRecord | null {
    for (let i = this.#rows.length - 1; i >= 0; i--) {
      const { row } = this.#rows[i]!;
      if (row.type === "call" && row.call.n <= n) return row.call.n === n ? row.call : null;
    }
    return null;
  }

  add(event: EventOf<"syscalls"> | EventOf<"syscalls-omitted"> | EventOf<"gap">): void {
    if (event.type === "syscalls") {
      const { run, seq, at, repeats } = event;
      for (const call of event.calls) this.#call(call);
      if (repeats) this.#push({ type: "syscalls-omitted", run, seq, at, ...countOf(repeats) });
    } else this.#push(event);
    if (event.type === "gap" && event.calls > 0 && !event.repeats) this.incomplete = true;
    if (event.type === "syscalls-omitted") {
      const { first, count, through = first + count - 1, incomplete = false } = event;
      this.incomplete ||= incomplete;
      this.total = Math.max(this.total, through + 1);
    }
    this.version++;
  }

  knowUntil(at: number): void {
    if (at <= this.until) return;
    this.until = at;
    this.version++;
  }

  /** A call that has not returned though the program has made others since: its end was not seen. */
  endUnseen({ n, took }: CallRecord): boolean {
    return took === null && n < this.total - 1;
  }

  #call(call: CallRecord): void {
    const place = this.#inside.get(call.n);
    this.total = Math.max(this.total, call.n + 1);
    if (call.line !== null && call.n >= (this.lined?.n ?? 0)) this.lined = call;
    if (call.took !== null) this.#inside.delete(call.n);
    if (place === undefined) {
      if (call.took === null) this.#inside.set(call.n, this.added);
      this.#push({ type: "call", call });
      return;
    }
    // Where it was only counted meanwhile, its place is the count's.
    const index = this.indexFrom(place);
    const { row, place: found } = this.#rows[index] ?? {};
    if (found === place && row?.type === "call") this.#rows[index] = { row: { type: "call", call }, place };
  }

  #push(row: CallListRow): void {
    this.#rows.push({ row, place: this.added++ });
    if (row.type === "call") this.single++;
    // Seldom: to take one row out at a time would move the whole array for every call.
    if (this.#rows.length > this.#keep + Math.floor(this.#keep / 10)) this.#thin();
  }

  #thin(): void {
    const newest = Math.floor(this.#keep * newestPart);
    const older = this.#rows.slice(0, -newest);
    const { rows, incomplete } = thinned(older, this.#keep - newest);
    const same = rows.findIndex((placed, i) => placed !== older[i]);
    const from = (same === -1 ? older.at(-1) : older[same])!.place;
    this.#rows = rows.concat(this.#rows.slice(-newest));
    this.thinned = { from, to: this.#rows[rows.length]!.place };
    this.single = this.#rows.reduce((sum, { row }) => sum + Number(row.type === "call"), 0);
    this.incomplete ||= incomplete;
    this.thinnings++;
  }
}

function countOf(byName: Record<string, number>) {
  const count = Object.values(byName).reduce((sum, times) => sum + times, 0);
  return { first: 0, count, byName };
}
