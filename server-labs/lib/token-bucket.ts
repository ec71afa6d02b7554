// Token bucket. It fills at a steady rate up to a burst, and may go into debt, which is paid before anything else.

export class TokenBucket {
  #tokens: number;
  #filled: number;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;

  /**
   * @param perSecond tokens that come in a second, in whatever unit is counted
   * @param burst most tokens that it holds, and what it holds at first
   * @param now the present time in milliseconds
   */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#now = now;
    this.#filled = now();
  }

  /** Tokens that it holds now; negative while there is a debt. */
  get level(): number {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#filled) * this.#perMs);
    this.#filled = now;
    return this.#tokens;
  }

  /** Takes tokens out, also more than it holds. */
  consume(amount: number): void {
    this.#tokens = this.level - amount;
  }
}
