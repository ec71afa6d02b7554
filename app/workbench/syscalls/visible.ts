// The lines of the list: each fold is one, an unfolded one is followed by its rows, and the call that has not returned
// comes last. A line is known by a number that stays its own when older ones are forgotten.
import { type Fold, type Folds, isFolded, rowsOf } from "./fold.ts";

export type Line =
  | { type: "row"; row: number; inside: boolean }
  | { type: "fold"; fold: Fold; open: boolean }
  | { type: "asleep"; place: number };

export class Visible {
  readonly #folds: Folds;
  /** Unfolded folds by index, oldest first, with the rows of each that are kept. */
  readonly #unfolded: { index: number; fold: Fold; skip: number; rows: number }[] = [];
  readonly count: number;

  /** @param unfolded Fold.first of those that are */
  constructor(folds: Folds, unfolded: ReadonlySet<number>) {
    this.#folds = folds;
    for (const first of unfolded) {
      const index = this.#indexOfRow(first);
      const fold = folds.list[index];
      if (!fold || fold.first !== first || !isFolded(fold)) continue;
      const skip = Math.max(0, folds.firstKept - first);
      this.#unfolded.push({ index, fold, skip, rows: rowsOf(fold) - skip });
    }
    this.#unfolded.sort((a, b) => a.index - b.index);
    const more = this.#unfolded.reduce((sum, { rows }) => sum + rows, 0);
    this.count = folds.list.length + more + (folds.open === null ? 0 : 1);
  }

  line(index: number): Line | undefined {
    let at = index;
    for (const { index: of, fold, skip, rows } of this.#unfolded) {
      if (at <= of) break;
      if (at <= of + rows) return { type: "row", row: fold.first + skip + at - of - 1, inside: true };
      at -= rows;
    }
    const fold = this.#folds.list[at];
    if (!fold) return this.#folds.open === null ? undefined : { type: "asleep", place: this.#folds.open };
    if (!isFolded(fold)) return { type: "row", row: fold.first, inside: false };
    return { type: "fold", fold, open: this.#unfolded.some(one => one.fold === fold) };
  }

  /** Where a line is by now; a row that has been folded is where its fold is. -1 when it is forgotten. */
  indexOf(id: number): number {
    const row = Math.floor(id / 2);
    const index = this.#indexOfRow(row);
    const fold = this.#folds.list[index];
    if (!fold || row < fold.first || (row < this.#folds.firstKept && id % 2 === 0)) return -1;
    if (row >= fold.first + rowsOf(fold)) return this.#folds.open === null ? -1 : this.count - 1;
    let at = index;
    for (const one of this.#unfolded) {
      if (one.index < index) at += one.rows;
      else if (one.index === index && id % 2 === 0) at += 1 + row - fold.first - one.skip;
    }
    return at;
  }

  /** Binary search: the fold that holds a row, or the last before it. */
  #indexOfRow(row: number): number {
    const { list } = this.#folds;
    let [low, high] = [0, list.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (list[middle]!.first <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Even for a row, odd for a fold; the call that has not returned has the number of the row that it will be. */
export function idOf(line: Line, folds: Folds): number {
  if (line.type === "row") return line.row * 2;
  return line.type === "fold" ? line.fold.first * 2 + 1 : folds.next * 2;
}
