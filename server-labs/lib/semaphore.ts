// Semaphore. A number of permits; work without a permit waits, first come, first served.

interface Waiting {
  /** The permits that it needs at once. */
  permits: number;
  start: () => void;
}

export class Semaphore {
  readonly #all: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(permits: number) {
    this.#all = permits;
    this.#free = permits;
  }

  /** Runs the work as soon as it has a permit, and releases the permit when the work has settled. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(1, work);
  }

  /** Runs the work as soon as it has all permits: no other work runs meanwhile. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(this.#all, work);
  }

  async #run<T>(permits: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>(start => {
      this.#waiting.push({ permits, start });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#free += permits;
      this.#startNext();
    }
  }

  /** Starts those that wait, in order: no newcomer overtakes the first, which may need more permits than are free. */
  #startNext(): void {
    for (let next = this.#waiting[0]; next && next.permits <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.permits;
      next.start();
    }
  }
}
