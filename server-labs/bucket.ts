// A token bucket: how much may be shown now. It fills at a steady rate up to a burst. Taking more than there
// is makes a debt, which is paid before anything else is shown.
export class Bucket {
  #tokens: number;
  #filled: number;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;

  /** perSecond and burst in whatever is counted; now() in milliseconds. */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#now = now;
    this.#filled = now();
  }

  /** What may be taken now; negative while there is a debt. */
  get level(): number {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#filled) * this.#perMs);
    this.#filled = now;
    return this.#tokens;
  }

  take(amount: number): void {
    this.#tokens = this.level - amount;
  }
}
