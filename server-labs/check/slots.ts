// So many at once, and everybody else in the order in which they came.

export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(number: number) {
    this.#free = number;
  }

  /** Does this as soon as there is a place for it. */
  async take<T>(job: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await job();
    } finally {
      // Handed on, and not given back: nobody who comes now goes before who has waited.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
