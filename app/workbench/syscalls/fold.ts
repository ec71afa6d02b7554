// Rows that say the same again and again, as one row with a count: equal calls, and turns of a loop that makes the same
// few calls each time. It is made as calls come: a call costs a look at the last few, however many there were.
import type { Syscall } from "../../../server-labs/protocol.ts";
import type { CallRow, Calls } from "../../labs.ts";
import type { Matches } from "./filter.ts";

/** Calls of the longest turn that is recognised: a loop that asks a dozen clients. */
const longestTurn = 16;
/** Twice may be chance. */
const fewestTurns = 3;

/** Rows that stand as one: `turns` times the same `period` calls. A row that stands alone is one turn of one call. */
export interface Fold {
  /** Place of its first row in the view, from 0, forgotten ones counted: what names it. */
  first: number;
  period: number;
  turns: number;
  /** Calls of a turn that has begun and is not over: they are in here too. */
  begun: number;
}

export const rowsOf = (fold: Fold): number => fold.period * fold.turns + fold.begun;
export const isFolded = (fold: Fold): boolean => fold.turns > 1;

/** The rows of a run that a filter lets through, folded. Call follow() when the calls have changed. */
export class Folds {
  readonly #calls: Calls;
  readonly #matches: Matches | null;
  #folds: Fold[] = [];
  /** Of each row in the view its place among all rows of the run, and a number for what it says. */
  #places: number[] = [];
  #keys: number[] = [];
  /** Rows of the view that are gone because the run's are. */
  #gone = 0;
  #folded = 0;
  /** For each length of a turn: how many rows in a row are what was that many rows before. */
  readonly #same = new Int32Array(longestTurn + 1);
  /** The next row of the run to look at. */
  #next = 0;
  #open: number | null = null;

  constructor(calls: Calls, matches: Matches | null) {
    this.#calls = calls;
    this.#matches = matches;
  }

  /** Folds and single rows, oldest first; the open call, if there is one, is not among them. */
  get list(): readonly Fold[] {
    return this.#folds;
  }

  /** Folds that were dropped at the beginning. */
  get dropped(): number {
    return this.#folded;
  }

  /** Place, among all rows of the run, of the call that has not returned, if the filter wants it. */
  get open(): number | null {
    return this.#open;
  }

  /** The first row of the view that is still kept, and the number of the next one. */
  get firstKept(): number {
    return this.#gone;
  }

  get next(): number {
    return this.#gone + this.#keys.length;
  }

  /** Rows that the filter let through and that are still kept. */
  get length(): number {
    return this.#keys.length + (this.#open === null ? 0 : 1);
  }

  /** @param row its place in the view, as Fold.first counts; @returns undefined when it is forgotten */
  row(row: number): { row: CallRow; place: number } | undefined {
    const place = this.#places[row - this.#gone];
    const found = place === undefined ? undefined : this.#calls.row(place - this.#calls.forgotten);
    return found && { row: found, place: place! };
  }

  /**
   * Takes what has come since.
   * @param apart every call of it stands alone, as somebody goes through them one by one
   */
  follow(apart = false): void {
    const calls = this.#calls;
    const open = calls.open;
    // The call that has not returned will be another row when it has.
    const end = open ?? calls.forgotten + calls.length;
    for (let place = Math.max(this.#next, calls.forgotten); place < end; place++) {
      const row = calls.row(place - calls.forgotten)!;
      if (this.#wants(row)) this.#take(place, keyOf(row), apart);
    }
    this.#next = end;
    const last = open === null ? undefined : calls.row(open - calls.forgotten);
    this.#open = last && this.#wants(last) ? open : null;
    this.#forget();
  }

  #wants(row: CallRow): boolean {
    return this.#matches === null || (row.type === "call" && this.#matches(row.call));
  }

  #take(place: number, key: number, apart: boolean): void {
    const row = this.#gone + this.#keys.length;
    this.#places.push(place);
    this.#keys.push(key);
    const last = this.#folds.at(-1);
    if (last && isFolded(last)) {
      if (!apart && key === this.#key(row - last.period)) {
        last.begun++;
        if (last.begun === last.period) [last.turns, last.begun] = [last.turns + 1, 0];
        return;
      }
      this.#putOut(last);
    }
    this.#single(row, apart);
  }

  /** A turn was begun and goes on otherwise: its calls stand alone. */
  #putOut(fold: Fold): void {
    const { begun } = fold;
    fold.begun = 0;
    this.#same.fill(0);
    const from = fold.first + rowsOf(fold);
    for (let row = from; row < from + begun; row++) this.#single(row);
  }

  #single(row: number, apart = false): void {
    this.#folds.push({ first: row, period: 1, turns: 1, begun: 0 });
    if (apart) {
      this.#same.fill(0);
      return;
    }
    for (let period = 1; period <= longestTurn; period++) {
      const alone = this.#folds.at(-1 - period);
      const alike = alone?.first === row - period && !isFolded(alone);
      const repeats = alike && this.#key(row) === this.#key(row - period);
      this.#same[period] = repeats ? this.#same[period]! + 1 : 0;
    }
    for (let period = 1; period <= longestTurn; period++) {
      const rows = period * fewestTurns;
      if (this.#same[period]! < rows - period) continue;
      this.#folds.splice(-rows, rows, { first: row - rows + 1, period, turns: fewestTurns, begun: 0 });
      this.#same.fill(0);
      return;
    }
  }

  #key(row: number): number | undefined {
    return this.#keys[row - this.#gone];
  }

  /** In slices, as the run's rows are forgotten: what stands for rows of which some are kept stays whole. */
  #forget(): void {
    const { forgotten } = this.#calls;
    let rows = 0;
    while (rows < this.#places.length && this.#places[rows]! < forgotten) rows++;
    if (rows === 0) return;
    this.#places = this.#places.slice(rows);
    this.#keys = this.#keys.slice(rows);
    this.#gone += rows;
    let folds = 0;
    for (
      let fold = this.#folds[0];
      fold && fold.first + rowsOf(fold) <= this.#gone;
      fold = this.#folds[folds]
    )
      folds++;
    this.#folds = this.#folds.slice(folds);
    this.#folded += folds;
  }
}

const known = new Map<string, number>();
let nextKey = 1;

/** Equal numbers for rows that say the same; a row that is alone in what it says gets a number of its own. */
function keyOf(row: CallRow): number {
  if (row.type !== "call" || row.call.took === null) return nextKey++;
  if (row.says !== undefined) return row.says;
  const says = saysOf(row.call);
  let key = known.get(says);
  if (key === undefined) {
    // Only what came lately is repeated at once: to forget the rest costs a fold at most.
    if (known.size > 20_000) known.clear();
    key = nextKey++;
    known.set(says, key);
  }
  row.says = key;
  return key;
}

function saysOf({ name, args, result, line, who }: Syscall): string {
  let says = `${name}(${args})=${result}:${line}`;
  for (const fd in who) says += ` ${who[Number(fd)]}`;
  return says;
}
