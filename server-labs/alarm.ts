// One thing that is to be done at a time, the earliest that anybody has asked for.

export class Alarm {
  readonly #ring: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #due = 0;

  /** @param now in milliseconds */
  constructor(ring: () => void, now: () => number) {
    this.#ring = ring;
    this.#now = now;
  }

  /** Rings in ms milliseconds, if it does not ring sooner anyway. */
  in(ms: number): void {
    const due = this.#now() + ms;
    if (this.#timer && this.#due <= due) return;
    this.cancel();
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#ring();
    }, ms);
  }

  cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
