// Waiting for something to become true. Nothing here sleeps for a fixed time: a probe is asked every millisecond
// or so, after everything that moves (sockets, the trace, the program) has been given its turn.

/** Between two looks, in milliseconds: far below anything that a check judges, and cheap. */
const lookEveryMs = 1;

/** How long a check waits for what should come at once, on a machine that is busy with other things, in ms. */
export const patience = 5000;

export interface Within {
  /** Milliseconds. */
  within?: number;
}

export class Waiting {
  readonly #turn: () => void;

  /** @param turn moves what there is to move; what it throws ends the wait */
  constructor(turn: () => void) {
    this.#turn = turn;
  }

  /**
   * Waits until the probe gives something that is not false, null or undefined, and returns it; null when
   * `withinMs` have passed first. The probe is asked once more at the very end.
   */
  async until<T>(probe: () => T | null | undefined | false, withinMs: number): Promise<T | null> {
    const end = performance.now() + withinMs;
    for (;;) {
      // Read before the look: a machine that held us up may not make us miss what is there.
      const over = performance.now() >= end;
      this.#turn();
      // What the program printed before it made the calls that we have just seen is in the pipe by now: it is
      // taken in before anybody judges, or a call would be seen whose words have not come.
      await new Promise(resolve => setImmediate(resolve));
      const found = probe();
      if (found !== false && found !== null && found !== undefined) return found;
      if (over) return null;
      await new Promise(resolve => setTimeout(resolve, lookEveryMs));
    }
  }

  /** Lets this much time pass, and everything move meanwhile: for what must *not* happen, which has no event. */
  async pass(ms: number): Promise<void> {
    await this.until(() => false, ms);
  }
}

/** A probe that reads /proc is asked less often than one that looks into memory. */
export function every<T>(ms: number, probe: () => T): () => T | null {
  let next = 0;
  return () => {
    const now = performance.now();
    if (now < next) return null;
    next = now + ms;
    return probe();
  };
}
