// Call folding. Equal rows become one row with a count: equal calls, and turns of a loop that makes the same few calls
// each time. Folding works as calls come: a call costs a look at the last few, however many there were.
import type { CallRecord } from "../../../../server-labs/protocol.ts";
import type { CallList, CallListRow } from "../../../labs.ts";
import type { Matches } from "./filter.ts";

/** Calls of the longest turn that is recognised: a loop that asks a dozen clients. */
const longestTurn = 16;
/** Twice may be chance. */
const fewestTurns = 3;

/** Rows that stand as one: `turns` times the same `period` calls. A row that stands alone is one turn of one call. */
export interface Fold {
  /** Index of its first row in the view. */
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
  readonly #calls: CallList;
  readonly #matches: Matches | null;
  #folds: Fold[] = [];
  /** Of each row in the view its place among all rows of the run, and a number for what it says. */
  #places: number[] = [];
  #keys: number[] = [];
  /** For each length of a turn: how many rows in a row are what was that many rows before. */
  readonly #same = new Int32Array(longestTurn + 1);
  /** The place of the next row of the run to look at. */
  #next = 0;
  #open: number | null = null;
  #thinnings = 0;

  constructor(calls: CallList, matches: Matches | null) {
    this.#calls = calls;
    this.#matches = matches;
  }

  /** Folds and single rows, oldest first; the open call, if there is one, is not among them. */
  get list(): readonly Fold[] {
    return this.#folds;
  }

  /** Place, among all rows of the run, of the call that has not returned, if the filter wants it. */
  get open(): number | null {
    return this.#open;
  }

  /** Changes when rows were taken out: the others have other indexes in the view. */
  get thinnings(): number {
    return this.#thinnings;
  }

  /** Rows that the filter let through and that are still kept. */
  get length(): number {
    return this.#keys.length + (this.#open === null ? 0 : 1);
  }

  /** @param row its index in the view, as Fold.first counts */
  row(row: number): CallListRow | undefined {
    const place = this.#places[row];
    return place === undefined ? undefined : this.#calls.at(place);
  }

  /** What names a row of the view, and stays when others are taken out: its place among all rows of the run. */
  placeOf(row: number): number {
    return this.#places[row] ?? this.#open ?? this.#next;
  }

  /** The index in the view of the last row that is at this place or before it; -1 when there is none. */
  indexAt(place: number): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#places[middle]! <= place) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * Takes what has come since.
   * @param apart each call has a row of its own, because the reader goes through them one by one
   */
  follow(apart = false): void {
    const calls = this.#calls;
    if (calls.thinnings !== this.#thinnings) this.#refold(apart);
    const open = calls.open;
    // The call that has not returned will be another row when it has.
    const end = open ?? calls.added;
    this.#takeAll(this.#next, end, apart);
    this.#next = end;
    const last = open === null ? undefined : calls.at(open);
    this.#open = last && this.#wants(last) ? open : null;
  }

  /** Rows were taken out of the middle: what was folded there is folded anew, and the rest keeps its folds. */
  #refold(apart: boolean): void {
    const calls = this.#calls;
    const missed = calls.thinnings - this.#thinnings > 1;
    const { from, to } = missed ? { from: 0, to: this.#next } : calls.thinned;
    this.#thinnings = calls.thinnings;
    const [places, keys, folds, same] = [this.#places, this.#keys, this.#folds, this.#same.slice()];
    // Folds that hold a row of the part are a part of it.
    const before = this.#foldsBefore(this.indexAt(from - 1) + 1);
    const left = folds[before]?.first ?? places.length;
    const after = Math.max(before, this.#foldsFrom(this.indexAt(to - 1) + 1));
    const right = folds[after]?.first ?? places.length;
    const end = places[right] ?? this.#next;
    this.#places = places.slice(0, left);
    this.#keys = keys.slice(0, left);
    this.#folds = folds.slice(0, before);
    this.#same.fill(0);
    this.#takeAll(places[left] ?? from, end, apart);
    const moved = this.#places.length - right;
    this.#places = this.#places.concat(places.slice(right));
    this.#keys = this.#keys.concat(keys.slice(right));
    for (const fold of folds.slice(after)) this.#folds.push({ ...fold, first: fold.first + moved });
    // The newest rows are the same as before, unless they were folded anew.
    if (right < places.length) this.#same.set(same);
  }

  /** Adds the rows of the run from one place to another, as far as the filter wants them. */
  #takeAll(from: number, to: number, apart: boolean): void {
    const calls = this.#calls;
    for (let index = calls.indexFrom(from); calls.placeOf(index) < to; index++) {
      const row = calls.row(index)!;
      if (this.#wants(row)) this.#take(calls.placeOf(index), keyOf(row), apart);
    }
  }

  /** How many folds have all their rows before this one. */
  #foldsBefore(row: number): number {
    const index = this.#foldsFrom(row);
    const last = this.#folds[index - 1];
    return last && last.first + rowsOf(last) > row ? index - 1 : index;
  }

  /** The index of the first fold that starts at this row or later. */
  #foldsFrom(row: number): number {
    let [low, high] = [0, this.#folds.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#folds[middle]!.first < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #wants(row: CallListRow): boolean {
    return this.#matches === null || (row.type === "call" && this.#matches(row.call));
  }

  #take(place: number, key: number, apart: boolean): void {
    const row = this.#keys.length;
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
    return this.#keys[row];
  }
}

const known = new Map<string, number>();
let nextKey = 1;

/** Equal numbers for rows that say the same; a row that is alone in what it says gets a number of its own. */
function keyOf(row: CallListRow): number {
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

function saysOf({ call, args, returned, errno, line, file = "", who }: CallRecord): string {
  return `${call}${JSON.stringify(args)}=${errno ?? returned}:${file}:${line}${who ? JSON.stringify(who) : ""}`;
}
