// Follow. A run's events from a number on, as long as the run lasts. The reader sets the pace: the log goes on without
// it, and what a slow reader has missed for good comes as a `gap`.
import type { Event } from "../protocol.ts";
import type { Batch } from "./event-log.ts";

/** What a reader of a run's events needs of its log. */
export interface Log {
  readonly nextSeq: number;
  readonly ended: boolean;
  read(from: number, maxBytes: number): Batch;
  onAppend(listener: (event: Event) => void): () => void;
}

/**
 * Batches of events, until the run has ended and its last event is read.
 * @param from the first seq that is wanted
 * @param maxBytes most bytes of JSON in a batch
 * @param signal ends it early; the generator then just returns
 */
export async function* follow(
  log: Log,
  from: number,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, void> {
  let next = from;
  while (!signal.aborted) {
    const batch = log.read(next, maxBytes);
    if (batch.events.length > 0) {
      next = batch.next;
      yield batch;
    } else if (log.ended) {
      return;
    } else {
      await appended(log, signal);
    }
  }
}

function appended(log: Log, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      off();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const off = log.onAppend(done);
    signal.addEventListener("abort", done);
  });
}
