// Running totals by seq, so that a gap counts exactly what is gone, though nobody holds it any more.

/** Totals are remembered at each of the newest events: a gap from any of them is exact. 4 MB at most. */
const marks = 1 << 18;

/** What came before each of the newest `marks` events. */
export class Totals {
  #before: number[] = [];
  #next = 0;
  #total = 0;

  push(amount: number): void {
    this.#before[this.#next++ % marks] = this.#total;
    this.#total += amount;
  }

  between(from: number, to: number): number {
    return this.#at(to) - this.#at(from);
  }

  #at(seq: number): number {
    if (seq <= 0) return 0;
    if (seq >= this.#next) return this.#total;
    return this.#before[Math.max(seq, this.#next - marks) % marks]!;
  }
}
