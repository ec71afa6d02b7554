// How much has been sent to a page and not been acknowledged. A page acknowledges by number, not by amount: after
// a gap amounts no longer agree, and a page that counted would wait for ever.
import type { RunId } from "./protocol.ts";

export class Window {
  readonly #limit: number;
  #flying = 0;
  readonly #sent = new Map<RunId, { seq: number; bytes: number }[]>();
  readonly #waiting = new Set<() => void>();

  /** @param limit bytes that may fly; one event more than fits is let through, so that a large one can pass */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when there is room for another event, or when the signal ends the wait. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#flying >= this.#limit && !signal.aborted) {
      await new Promise<void>(resolve => {
        const done = () => {
          this.#waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener("abort", done);
      });
    }
  }

  sent(run: RunId, seq: number, bytes: number): void {
    const flying = this.#sent.get(run) ?? [];
    flying.push({ seq, bytes });
    this.#sent.set(run, flying);
    this.#flying += bytes;
  }

  /** The page has shown everything of this run up to and including seq. */
  acknowledge(run: RunId, seq: number): void {
    const flying = this.#sent.get(run) ?? [];
    let shown = 0;
    while (shown < flying.length && flying[shown]!.seq <= seq) this.#flying -= flying[shown++]!.bytes;
    flying.splice(0, shown);
    if (flying.length === 0) this.#sent.delete(run);
    this.#wake();
  }

  /** Nobody will acknowledge this run any more. */
  forget(run: RunId): void {
    this.acknowledge(run, Number.POSITIVE_INFINITY);
  }

  #wake(): void {
    if (this.#flying < this.#limit) for (const wake of [...this.#waiting]) wake();
  }
}
