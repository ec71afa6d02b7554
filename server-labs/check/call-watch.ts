// Call watch. The system calls that the server makes from some moment on, readable while it makes them.

import { defaultWaitMs, type Poller, type Within } from "../clients.ts";
import type { Calls } from "./calls.ts";
import type { Tracing } from "./tracing.ts";

export class CallWatch {
  readonly #tracing: Tracing;
  readonly #poller: Poller;
  readonly #from: number;

  constructor(tracing: Tracing, poller: Poller) {
    this.#tracing = tracing;
    this.#poller = poller;
    this.#from = tracing.next;
  }

  /** The calls as of the newest wait: never newer than the output that is known. */
  get calls(): Calls {
    return this.#tracing.since(this.#from);
  }

  /** Waits until the probe finds what it looks for in the calls. @returns what it found; null when the time is over first */
  async until<T>(
    probe: (calls: Calls) => T | null | undefined | false,
    { within = defaultWaitMs }: Within = {},
  ): Promise<T | null> {
    let seen = -1;
    const found = () => {
      // A probe may be expensive: it runs when there is a new call, or when the program has left its call.
      const now = this.#tracing.next;
      const inside = this.#tracing.inside;
      if (now === seen && inside !== null) return null;
      seen = now;
      return probe(this.#tracing.since(this.#from));
    };
    return this.#poller.until(found, within);
  }
}
