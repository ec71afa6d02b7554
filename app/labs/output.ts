// Output log. What one run has printed, in order and bounded; a late listener gets it from the oldest event that is kept,
// with a count of what is missing.
import { type EventOf, limits } from "../../server-labs/protocol.ts";

/** What a terminal shows, in order: the program's words, and what happened to it between them. */
export type OutputEvent = EventOf<
  "starting" | "listening" | "output" | "output-omitted" | "gap" | "exited" | "refused"
>;
export type OutputListener = (event: OutputEvent) => void;

export function isOutput(event: { type: string }): event is OutputEvent {
  return outputTypes.has(event.type);
}
const outputTypes = new Set([
  "starting",
  "listening",
  "output",
  "output-omitted",
  "gap",
  "exited",
  "refused",
]);

/** A bounded list of output events with listeners. */
export class OutputLog {
  readonly #keep: number;
  /** The beginning is one line and says which command ran: it is never forgotten. */
  #starting: EventOf<"starting"> | null = null;
  #events: OutputEvent[] = [];
  #size = 0;
  #forgotten: EventOf<"gap"> | null = null;
  readonly #listeners = new Set<OutputListener>();

  constructor(keep: number = limits.outputRingBytes) {
    this.#keep = keep;
  }

  add(event: OutputEvent): void {
    if (event.type === "starting") this.#starting = event;
    else {
      this.#events.push(event);
      this.#size += sizeOf(event);
      // In slices, as one big flood would otherwise shift the list for every piece.
      if (this.#size > this.#keep * 1.25) this.#forget();
    }
    for (const listener of this.#listeners) listener(event);
  }

  /**
   * Hears everything that is kept, at once and in order, and then what comes.
   * @returns ends it.
   */
  listen(listener: OutputListener): () => void {
    if (this.#starting) listener(this.#starting);
    if (this.#forgotten) listener(this.#forgotten);
    for (const event of this.#events) listener(event);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #forget(): void {
    let [from, bytes] = [0, 0];
    while (this.#size > this.#keep && from < this.#events.length - 1) {
      const event = this.#events[from++]!;
      this.#size -= sizeOf(event);
      if ("bytes" in event) bytes += event.bytes;
    }
    const last = this.#events[from - 1];
    if (!last) return;
    this.#events = this.#events.slice(from);
    const before = this.#forgotten;
    this.#forgotten = {
      type: "gap",
      run: last.run,
      seq: last.seq,
      at: last.at,
      events: from + (before?.events ?? 0),
      bytes: bytes + (before?.bytes ?? 0),
      calls: 0,
    };
  }
}

function sizeOf(event: OutputEvent): number {
  return event.type === "output" ? event.bytes : 0;
}
