// The visitor's event loop: asleep in epoll_wait(2) until a client can move, a command comes, or somebody's time is up.
// Unlike a check it may sleep: it has nothing else to do, and what happens is noticed when it happens.
import type { Network } from "../network.ts";

interface Waiter {
  look(now: number): boolean;
  /** When to look at the latest, in milliseconds of performance.now(). */
  due(now: number): number;
}

/** Between two looks of who has to look by itself, because no descriptor tells of it. */
const lookEveryMs = 2;
/** As long as somebody waits for anything, it looks around so often. */
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
   * @param polls no descriptor tells when the probe becomes true: it is asked every other millisecond
   */
  until<T>(probe: () => T | null | undefined | false, withinMs: number, polls = false): Promise<T | null> {
    const end = performance.now() + withinMs;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        due: now => (polls ? Math.min(end, now + lookEveryMs) : end),
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

  /** Runs until end(). @param turned called after each turn, before anybody goes on */
  async run(turned: () => void): Promise<void> {
    let busy = true;
    while (!this.#ended) {
      const now = performance.now();
      let due = now + mostMs;
      for (const waiter of this.#waiters) due = Math.min(due, waiter.due(now));
      const ms = this.#waiters.size === 0 ? -1 : Math.max(0, Math.ceil(due - now));
      this.#network.turn(busy ? 0 : ms);
      turned();
      const looked = performance.now();
      busy = false;
      for (const waiter of [...this.#waiters]) busy = waiter.look(looked) || busy;
      // Those who go on do so now, and are heard before anybody sleeps.
      await new Promise(resolve => setImmediate(resolve));
    }
  }
}
