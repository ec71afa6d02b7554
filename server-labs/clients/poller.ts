// Poller. Waits until something is true: it asks a probe once a millisecond, after the sockets, the trace and the
// program's output have been read. No wait sleeps for a fixed time.

/** Milliseconds between two looks: far below every time that a check judges, and cheap. */
const lookEveryMs = 1;

/** Milliseconds that a check waits for what should come at once: generous, because the machine may be busy. */
export const defaultWaitMs = 5000;

export interface Within {
  /** Milliseconds. */
  within?: number;
}

export class Poller {
  readonly #update: () => void;

  /** @param update reads what is new before each look; an error that it throws ends the wait */
  constructor(update: () => void) {
    this.#update = update;
  }

  /**
   * Waits until the probe returns something that is not false, null or undefined. The last look is at the very end.
   * @returns what the probe returned; null when `withinMs` milliseconds have passed first
   */
  async until<T>(probe: () => T | null | undefined | false, withinMs: number): Promise<T | null> {
    const end = performance.now() + withinMs;
    for (;;) {
      // Read before the look: a machine that delays this process must not make it miss what is there.
      const over = performance.now() >= end;
      this.#update();
      // What the program printed before its newest traced call is in the pipe by now. Node reads the pipe here, before
      // the probe judges; otherwise the probe would see the call without the output.
      await new Promise(resolve => setImmediate(resolve));
      const found = probe();
      if (found !== false && found !== null && found !== undefined) return found;
      if (over) return null;
      await new Promise(resolve => setTimeout(resolve, lookEveryMs));
    }
  }

  /** Lets `ms` milliseconds pass, and keeps reading: for what must *not* happen, which has no event. */
  async wait(ms: number): Promise<void> {
    await this.until(() => false, ms);
  }
}

/** Asks the probe at most once in `ms` milliseconds, and returns null in between: for probes that read /proc. */
export function throttle<T>(ms: number, probe: () => T): () => T | null {
  let next = 0;
  return () => {
    const now = performance.now();
    if (now < next) return null;
    next = now + ms;
    return probe();
  };
}
