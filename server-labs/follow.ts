// A run's events from a number on, as long as the run lasts. Whoever reads sets the pace: while the reader does
// not ask, the log goes on without it, and what it then missed for good comes as a `gap`.
import type { Log } from "./labs.ts";
import type { Event } from "./protocol.ts";

/**
 * Events in batches of at most maxBytes of JSON, until the run has ended and everything is told.
 * @param from the first seq that is wanted
 * @param signal ends it early; the generator then just returns
 */
export async function* follow(
  log: Log,
  from: number,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Event[], void, void> {
  let next = from;
  while (!signal.aborted) {
    const batch = log.read(next, maxBytes);
    if (batch.events.length > 0) {
      next = batch.next;
      yield batch.events;
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
