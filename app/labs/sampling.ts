// Sampling requests. Each run's kernel samples are requested at the shortest interval that a view of this page needs.
import type { Request, RunId } from "../../server-labs/protocol.ts";

export class Sampling {
  readonly #send: (request: Extract<Request, { type: "sample" }>) => void;
  readonly #requests = new Map<RunId, Set<{ everyMs: number }>>();

  constructor(send: (request: Extract<Request, { type: "sample" }>) => void) {
    this.#send = send;
  }

  /** @returns a function that ends it; with the last one the samples end */
  add(run: RunId, everyMs: number): () => void {
    const interval = { everyMs };
    const intervals = this.#requests.get(run) ?? new Set();
    this.#requests.set(run, intervals.add(interval));
    this.#request(run);
    return () => {
      if (!intervals.delete(interval)) return;
      this.#request(run);
      if (intervals.size === 0) this.#requests.delete(run);
    };
  }

  /** Sends the requests again, on a new connection. */
  resend(): void {
    for (const run of this.#requests.keys()) this.#request(run);
  }

  #request(run: RunId): void {
    const intervals = [...(this.#requests.get(run) ?? [])].map(({ everyMs }) => everyMs);
    this.#send({ type: "sample", run, everyMs: intervals.length === 0 ? 0 : Math.min(...intervals) });
  }
}
