// Everything that happened in one run, in one order, within bounds. Output, calls and the rest each keep their
// own newest part, so that a flood of one never evicts another. Readers hold nothing here but a number:
// whoever is slow finds a gap that counts exactly what is gone, and nobody waits for anybody.
import { type Entry, find, keep, type Lane, lane } from "./event-log/lane.ts";
import { Totals } from "./event-log/totals.ts";
import { type Event, type EventOf, type EventType, limits } from "./protocol.ts";

type Bodies<E> = E extends unknown ? Omit<E, "run" | "seq" | "at"> : never;
/** An event before the log has given it its place. */
export type EventBody = Exclude<Bodies<Event>, { type: "gap" }>;

/** The rest (starting, listening, check, …) is few by nature; this bound is for a checker gone mad. */
const lifeBytes = 1024 * 1024;
/** Of samples only the newest matters: it says how things are, and these are some before it. */
const kernelBytes = 256 * 1024;
/** How a program went: the newest few hundred steps. The newest is always there, for who comes late. */
const paceBytes = 128 * 1024;
const outputOverhead = 128;

export class EventLog {
  readonly run: string;
  /** performance.now() at `at` 0. */
  began: number;
  #lanes = {
    output: lane(limits.outputRingBytes),
    calls: lane(limits.syscallRingBytes),
    kernel: lane(kernelBytes),
    pace: lane(paceBytes),
    visits: lane(limits.visitRingBytes),
    life: lane(lifeBytes),
  };
  #nextSeq = 0;
  #ended = false;
  #bytes = new Totals();
  #calls = new Totals();
  /** Samples: one that is gone is not missed, as a newer one has taken its place. */
  #replaced = new Totals();
  #newest = new Map<EventType, Event>();
  #lastCall = -1;
  #listeners = new Set<(event: Event) => void>();

  constructor(run: string, began = performance.now()) {
    this.run = run;
    this.began = began;
  }

  /** The seq that the next event will have: 0 … nextSeq-1 have happened. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** True once `exited` or `refused` is in: nothing will follow it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Time counts from now: what was needed to get ready is not part of the run. */
  begin(): void {
    this.began = performance.now();
  }

  /** Gives the event its place and its time, and wakes the readers. An ended log takes nothing more (it throws). */
  append(body: EventBody): Event {
    if (this.#ended) throw new Error(`run ${this.run} has ended; nothing can follow (${body.type})`);
    const at = Math.round((performance.now() - this.began) * 100) / 100;
    const event = { run: this.run, seq: this.#nextSeq++, at, ...body } as Event;
    const size = Buffer.byteLength(JSON.stringify(event)) + 1;
    const [bytes, calls] = this.#counts(event);
    this.#bytes.push(bytes);
    this.#calls.push(calls);
    this.#replaced.push(event.type === "kernel" ? 1 : 0);
    this.#newest.set(event.type, event);
    const lane = this.#laneOf(event);
    // An omission stands for bytes that nobody holds: it weighs what it says, not what it says is missing.
    keep(lane, { event, size, weight: event.type === "output" ? bytes + outputOverhead : size });
    this.#ended = event.type === "exited" || event.type === "refused";
    for (const listener of [...this.#listeners]) listener(event);
    return event;
  }

  /**
   * The events from seq `from` on, in order: as many as fit in maxBytes of JSON, but at least one if there is
   * one. Where events are gone, a `gap` stands for them; its seq is that of the last one it stands for.
   * `next` is where to go on.
   */
  read(from: number, maxBytes: number): { events: Event[]; next: number } {
    const events: Event[] = [];
    const cursors = Object.values(this.#lanes).map(lane => ({ lane, index: find(lane, from) }));
    let next = Math.min(from, this.#nextSeq);
    let room = maxBytes;
    for (;;) {
      let first: { entry: Entry; cursor: (typeof cursors)[number] } | undefined;
      for (const cursor of cursors) {
        const entry = cursor.lane.entries[cursor.index];
        if (entry && (!first || entry.event.seq < first.entry.event.seq)) first = { entry, cursor };
      }
      if (!first || (events.length > 0 && first.entry.size > room)) return { events, next };
      const { event, size } = first.entry;
      const gap = event.seq > next ? this.#gap(next, event) : null;
      if (gap && gap.events > 0) events.push(gap);
      events.push(event);
      next = event.seq + 1;
      room -= size;
      first.cursor.index++;
    }
  }

  /** The newest event of this type; null when there was none. */
  newest<T extends EventType>(type: T): EventOf<T> | null {
    return (this.#newest.get(type) as EventOf<T> | undefined) ?? null;
  }

  /** Calls the listener after each event; the result takes it away again. It must not throw. */
  onAppend(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #gap(from: number, before: Event): EventOf<"gap"> {
    return {
      run: this.run,
      seq: before.seq - 1,
      at: before.at,
      type: "gap",
      events: before.seq - from - this.#replaced.between(from, before.seq),
      bytes: this.#bytes.between(from, before.seq),
      calls: this.#calls.between(from, before.seq),
    };
  }

  /** Output bytes and calls that an event stands for. A call that comes twice (entered, done) is one call. */
  #counts(event: Event): [bytes: number, calls: number] {
    if (event.type === "output" || event.type === "output-omitted") return [event.bytes, 0];
    if (event.type === "syscalls-omitted") return [0, event.count];
    if (event.type !== "syscalls") return [0, 0];
    const fresh = event.calls.filter(call => call.n > this.#lastCall);
    this.#lastCall = fresh.at(-1)?.n ?? this.#lastCall;
    return [0, fresh.length];
  }

  #laneOf(event: Event): Lane {
    if (event.type === "output" || event.type === "output-omitted") return this.#lanes.output;
    if (event.type === "syscalls" || event.type === "syscalls-omitted") return this.#lanes.calls;
    if (event.type === "kernel") return this.#lanes.kernel;
    if (event.type === "pace") return this.#lanes.pace;
    if (event.type === "visit") return this.#lanes.visits;
    return this.#lanes.life;
  }
}
