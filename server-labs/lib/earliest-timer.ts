// Earliest timer. One timer for one piece of work: of all the times that were asked for, it keeps the earliest.

export class EarliestTimer {
  readonly #work: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = 0;

  /** @param now the present time in milliseconds */
  constructor(work: () => void, now: () => number) {
    this.#work = work;
    this.#now = now;
  }

  /** Does the work in this many milliseconds, unless an earlier time is set already. */
  schedule(ms: number): void {
    const dueAt = this.#now() + ms;
    if (this.#timer && this.#dueAt <= dueAt) return;
    this.cancel();
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#work();
    }, ms);
  }

  cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
