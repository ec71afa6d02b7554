// Which runs this page wants samples of, and how often: the wish of a page is that of the most eager who looks.
import type { Request, RunId } from "../../server-labs/protocol.ts";

export class Sampling {
  readonly #send: (request: Extract<Request, { type: "sample" }>) => void;
  readonly #wishes = new Map<RunId, Set<{ everyMs: number }>>();

  constructor(send: (request: Extract<Request, { type: "sample" }>) => void) {
    this.#send = send;
  }

  /** @returns ends it; the last one to do so asks for no more. */
  want(run: RunId, everyMs: number): () => void {
    const wish = { everyMs };
    const wishes = this.#wishes.get(run) ?? new Set();
    this.#wishes.set(run, wishes.add(wish));
    this.#say(run);
    return () => {
      if (!wishes.delete(wish)) return;
      this.#say(run);
      if (wishes.size === 0) this.#wishes.delete(run);
    };
  }

  /** The connection is a new one, and knows of no wishes. */
  again(): void {
    for (const run of this.#wishes.keys()) this.#say(run);
  }

  #say(run: RunId): void {
    const wishes = [...(this.#wishes.get(run) ?? [])].map(({ everyMs }) => everyMs);
    this.#send({ type: "sample", run, everyMs: wishes.length === 0 ? 0 : Math.min(...wishes) });
  }
}
