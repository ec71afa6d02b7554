// Semaphore. A number of permits; work without a permit waits, first come, first served.

export class Semaphore {
  #permits: number;
  readonly #waiting: (() => void)[] = [];

  constructor(permits: number) {
    this.#permits = permits;
  }

  /** Runs the work as soon as it has a permit, and releases the permit when the work has settled. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#permits > 0) this.#permits--;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The permit goes to the first that waits, without being free in between: no newcomer overtakes it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#permits++;
    }
  }
}
