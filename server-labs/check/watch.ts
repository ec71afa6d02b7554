// The calls that a server makes from some moment on, looked at while they are made.
import type { Calls } from "./calls.ts";
import type { Tracing } from "./tracing.ts";
import { patience, type Waiting, type Within } from "./wait.ts";

/** The calls of the server since a moment. */
export class Watch {
  readonly #tracing: Tracing;
  readonly #waiting: Waiting;
  readonly #from: number;

  constructor(tracing: Tracing, waiting: Waiting) {
    this.#tracing = tracing;
    this.#waiting = waiting;
    this.#from = tracing.next;
  }

  /** As far as they were seen when somebody last waited: never newer than the output that is known. */
  get calls(): Calls {
    return this.#tracing.since(this.#from);
  }

  /** Waits until the calls are as they should be, and returns what the probe gave; null if it took too long. */
  async until<T>(
    probe: (calls: Calls) => T | null | undefined | false,
    { within = patience }: Within = {},
  ): Promise<T | null> {
    let seen = -1;
    const found = () => {
      // Nothing new, nothing to think about: a probe may be dear.
      const now = this.#tracing.next;
      const inside = this.#tracing.inside;
      if (now === seen && inside !== null) return null;
      seen = now;
      return probe(this.#tracing.since(this.#from));
    };
    return this.#waiting.until(found, within);
  }
}
