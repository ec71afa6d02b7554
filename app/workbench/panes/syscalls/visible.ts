// Visible lines. The lines of the list: each fold is one line, an unfolded one is followed by its rows; the call that
// has not returned comes last. A line keeps its number when other lines are taken out.
import { type Fold, type Folds, isFolded, rowsOf } from "./fold.ts";

export type Line =
  | { type: "row"; row: number; inside: boolean }
  | { type: "fold"; fold: Fold; open: boolean }
  | { type: "asleep"; place: number };

export class Visible {
  readonly #folds: Folds;
  /** Unfolded folds by index, oldest first, with the rows of each. */
  readonly #unfolded: { index: number; fold: Fold; rows: number }[] = [];
  readonly count: number;

  /** @param unfolded the places of the first rows of those that are */
  constructor(folds: Folds, unfolded: ReadonlySet<number>) {
    this.#folds = folds;
    for (const place of unfolded) {
      const first = folds.indexAt(place);
      const index = this.#indexOfRow(first);
      const fold = folds.list[index];
      if (!fold || fold.first !== first || folds.placeOf(first) !== place || !isFolded(fold)) continue;
      this.#unfolded.push({ index, fold, rows: rowsOf(fold) });
    }
    this.#unfolded.sort((a, b) => a.index - b.index);
    const more = this.#unfolded.reduce((sum, { rows }) => sum + rows, 0);
    this.count = folds.list.length + more + (folds.open === null ? 0 : 1);
  }

  line(index: number): Line | undefined {
    let at = index;
    for (const { index: of, fold, rows } of this.#unfolded) {
      if (at <= of) break;
      if (at <= of + rows) return { type: "row", row: fold.first + at - of - 1, inside: true };
      at -= rows;
    }
    const fold = this.#folds.list[at];
    if (!fold) return this.#folds.open === null ? undefined : { type: "asleep", place: this.#folds.open };
    if (!isFolded(fold)) return { type: "row", row: fold.first, inside: false };
    return { type: "fold", fold, open: this.#unfolded.some(one => one.fold === fold) };
  }

  /** Where a line is by now; a row that has been folded is where its fold is, one that is only counted, where its count is. -1: before all */
  indexOf(id: number): number {
    const place = Math.floor(id / 2);
    if (place === this.#folds.open) return this.count - 1;
    const row = this.#folds.indexAt(place);
    const index = this.#indexOfRow(row);
    const fold = this.#folds.list[index];
    if (!fold || row < fold.first) return -1;
    let at = index;
    for (const one of this.#unfolded) {
      if (one.index < index) at += one.rows;
      else if (one.index === index && id % 2 === 0) at += 1 + row - fold.first;
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

/** Even for a row, odd for a fold; each by the place of its (first) row among all rows of the run. */
export function idOf(line: Line, folds: Folds): number {
  if (line.type === "asleep") return line.place * 2;
  return line.type === "row" ? folds.placeOf(line.row) * 2 : folds.placeOf(line.fold.first) * 2 + 1;
}
