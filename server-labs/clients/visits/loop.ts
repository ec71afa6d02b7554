// Event loop. The visitor sleeps in epoll_wait(2) until a socket is ready, a command comes, or a wait times out.
import type { Network } from "../network.ts";

interface Waiter {
  look(now: number): boolean;
  /** The time of the next look, in milliseconds of performance.now(). */
  deadline(now: number): number;
}

/** Between two looks of a waiter whose probe no descriptor wakes, in milliseconds. */
const lookEveryMs = 2;
/** The longest sleep while there are waiters, in milliseconds. */
const mostMs = 250;

export class Loop {
  readonly #network: Network;
  readonly #waiters = new Set<Waiter>();
  #ended = false;

  constructor(network: Network) {
    this.#network = network;
  }

  /**
   * Waits until the probe gives something that is not false, null or undefined, and returns it; null when `withinMs`
   * have passed first.
   * @param polls no descriptor wakes the loop when the probe becomes true: it is called every other millisecond
   */
  until<T>(probe: () => T | null | undefined | false, withinMs: number, polls = false): Promise<T | null> {
    const end = performance.now() + withinMs;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        deadline: now => (polls ? Math.min(end, now + lookEveryMs) : end),
        look: now => {
          try {
            const found = probe();
            const got = found !== false && found !== null && found !== undefined;
            if (!got && now < end) return false;
            resolve(got ? found : null);
          } catch (error) {
            reject(error);
          }
          this.#waiters.delete(waiter);
          return true;
        },
      };
      if (!waiter.look(performance.now())) this.#waiters.add(waiter);
    });
  }

  end(): void {
    this.#ended = true;
  }

  /** Runs until end(). @param turned called after each turn, before any waiter goes on */
  async run(turned: () => void): Promise<void> {
    let busy = true;
    while (!this.#ended) {
      const now = performance.now();
      let wakeAt = now + mostMs;
      for (const waiter of this.#waiters) wakeAt = Math.min(wakeAt, waiter.deadline(now));
      const ms = this.#waiters.size === 0 ? -1 : Math.max(0, Math.ceil(wakeAt - now));
      this.#network.dispatch(busy ? 0 : ms);
      turned();
      const looked = performance.now();
      busy = false;
      for (const waiter of [...this.#waiters]) busy = waiter.look(looked) || busy;
      // Waiters that go on do so now, before the loop sleeps again.
      await new Promise(resolve => setImmediate(resolve));
    }
  }
}
