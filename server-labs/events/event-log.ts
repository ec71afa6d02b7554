// Event log. Everything that happened in one run, in one order, within bounds: a ring for each kind of event, so that a
// flood of output never evicts a call, and calls that repeat are evicted before those that matter. A reader has nothing
// here but a number: a slow reader finds a gap that counts exactly what is gone, and no reader waits for another.
import { jsonText } from "../lib/json-text.ts";
import { callPriority, type Event, type EventOf, type EventType, limits, priorityOf } from "../protocol.ts";

type Bodies<E> = E extends unknown ? Omit<E, "run" | "seq" | "at"> : never;
/** An event before the log has given it its place. */
export type EventBody = Exclude<Bodies<Event>, { type: "gap" }>;

/** Events from a log, in order, and the JSON of each: it is made once, however many pages and shells read it. */
export interface Batch {
  events: Event[];
  /** `texts[i]` is `events[i]`. */
  texts: string[];
  /** The seq from which to go on. */
  next: number;
}

/** Events that are neither output, calls, samples, pace nor visits are few; this bound is for a checker gone mad. */
const otherBytes = 1024 * 1024;
/** Of samples only the newest matters: it says how things are, and these are some before it. */
const sampleBytes = 256 * 1024;
const isSample = ({ type }: Event) => type === "kernel" || type === "tasks";
/** The newest few hundred steps of a program. The newest of all is always there, for a page that comes late. */
const paceBytes = 128 * 1024;
const outputOverhead = 128;

export class EventLog {
  readonly run: string;
  /** performance.now() at `at` 0. */
  startedAt: number;
  readonly #essential = new Ring(limits.essentialRingBytes);
  readonly #differing = new Ring(limits.differingRingBytes, entry =>
    this.#keepAtLeast(callPriority.essential, entry, this.#essential),
  );
  readonly #rings = {
    output: new Ring(limits.outputRingBytes),
    essential: this.#essential,
    differing: this.#differing,
    calls: new Ring(limits.syscallRingBytes, entry =>
      this.#keepAtLeast(callPriority.differs, entry, this.#differing),
    ),
    kernel: new Ring(sampleBytes),
    tasks: new Ring(sampleBytes),
    pace: new Ring(paceBytes),
    visits: new Ring(limits.visitRingBytes),
    others: new Ring(otherBytes),
  };
  #nextSeq = 0;
  #ended = false;
  #bytes = new RunningTotal();
  #calls = new RunningTotal();
  /** Samples: one that is gone is not missed, as a newer one has taken its place. */
  #replaced = new RunningTotal();
  /** Calls that matter, and announcements of calls that are not known. */
  #mattering = new RunningTotal();
  #newest = new Map<EventType, Event>();
  #listeners = new Set<(event: Event) => void>();

  constructor(run: string, startedAt = performance.now()) {
    this.run = run;
    this.startedAt = startedAt;
  }

  /** The seq that the next event will have: 0 … nextSeq-1 have happened. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Milliseconds since the run began, to a hundredth. */
  get clock(): number {
    return Math.round((performance.now() - this.startedAt) * 100) / 100;
  }

  /** True once `exited` or `refused` is in: no event follows it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Counts time from now: what was needed to get ready is not part of the run. */
  start(): void {
    this.startedAt = performance.now();
  }

  /** Gives the event its place and its time, and calls the listeners. @throws Error when the log has ended */
  append(body: EventBody): Event {
    if (this.#ended) throw new Error(`run ${this.run} has ended; nothing can follow (${body.type})`);
    const event = { run: this.run, seq: this.#nextSeq++, at: this.clock, ...body } as Event;
    const text = jsonText(event);
    const size = Buffer.byteLength(text) + 1;
    const { bytes, calls, mattering } = countsOf(event);
    this.#bytes.push(bytes);
    this.#calls.push(calls);
    this.#mattering.push(mattering);
    this.#replaced.push(isSample(event) ? 1 : 0);
    this.#newest.set(event.type, event);
    // An omission counts many bytes that the log does not hold; in its ring it is as large as its own text.
    const weight = event.type === "output" ? bytes + outputOverhead : size;
    this.#ringOf(event).push({ event, text, size, weight });
    this.#ended = event.type === "exited" || event.type === "refused";
    for (const listener of [...this.#listeners]) listener(event);
    return event;
  }

  /**
   * The events from seq `from` on, in order: as many as fit in maxBytes of JSON, but at least one if there is one.
   * Where events are gone, a `gap` takes their place; its seq is that of the last one that is gone.
   */
  read(from: number, maxBytes: number): Batch {
    const batch: Batch = { events: [], texts: [], next: Math.min(from, this.#nextSeq) };
    const cursors = Object.values(this.#rings).map(ring => ({ ring, index: ring.find(from) }));
    let room = maxBytes;
    for (;;) {
      let first: { entry: Entry; cursor: (typeof cursors)[number] } | undefined;
      for (const cursor of cursors) {
        const entry = cursor.ring.at(cursor.index);
        if (entry && (!first || entry.event.seq < first.entry.event.seq)) first = { entry, cursor };
      }
      if (!first || (batch.events.length > 0 && first.entry.size > room)) return batch;
      const { event, text, size } = first.entry;
      const gap = event.seq > batch.next ? this.#gap(batch.next, event) : null;
      if (gap && gap.events > 0) {
        batch.events.push(gap);
        batch.texts.push(jsonText(gap));
      }
      batch.events.push(event);
      batch.texts.push(text);
      batch.next = event.seq + 1;
      room -= size;
      first.cursor.index++;
    }
  }

  /** The newest event of this type; null before the first. */
  newest<T extends EventType>(type: T): EventOf<T> | null {
    return (this.#newest.get(type) as EventOf<T> | undefined) ?? null;
  }

  /** Calls the listener after each event, until the returned function is called. The listener must not throw. */
  onAppend(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #gap(from: number, before: Event): EventOf<"gap"> {
    const calls = this.#calls.between(from, before.seq);
    return {
      run: this.run,
      seq: before.seq - 1,
      at: before.at,
      type: "gap",
      events: before.seq - from - this.#replaced.between(from, before.seq),
      bytes: this.#bytes.between(from, before.seq),
      calls,
      ...(calls > 0 && this.#mattering.between(from, before.seq) === 0 ? { repeats: true } : {}),
    };
  }

  /** An event of calls is evicted: those that matter enough get room in another ring. */
  #keepAtLeast(priority: number, { event }: Entry, ring: Ring): void {
    const kept = event.type === "syscalls" ? withoutRepeats(event, priority) : null;
    if (kept === null) return;
    const text = jsonText(kept);
    const size = Buffer.byteLength(text) + 1;
    ring.push({ event: kept, text, size, weight: size });
  }

  #ringOf(event: Event): Ring {
    if (event.type === "output" || event.type === "output-omitted") return this.#rings.output;
    if (event.type === "syscalls" || event.type === "syscalls-omitted") return this.#rings.calls;
    if (event.type === "kernel") return this.#rings.kernel;
    if (event.type === "tasks") return this.#rings.tasks;
    if (event.type === "pace") return this.#rings.pace;
    if (event.type === "visit") return this.#rings.visits;
    return this.#rings.others;
  }
}

/** What a gap counts of an event. A call that comes twice, entered and done, is counted when it is done. */
function countsOf(event: Event): { bytes: number; calls: number; mattering: number } {
  if (event.type === "output" || event.type === "output-omitted")
    return { bytes: event.bytes, calls: 0, mattering: 0 };
  if (event.type === "syscalls-omitted")
    return { bytes: 0, calls: event.count, mattering: event.incomplete ? 1 : 0 };
  if (event.type !== "syscalls") return { bytes: 0, calls: 0, mattering: 0 };
  const done = event.calls.filter(({ took }) => took !== null);
  const mattering = done.filter(call => priorityOf(call) !== callPriority.repeats);
  return { bytes: 0, calls: done.length, mattering: mattering.length };
}

/** The event with its calls of this priority at least, and the others counted; null when there are only others. */
function withoutRepeats(event: EventOf<"syscalls">, priority: number): EventOf<"syscalls"> | null {
  const calls = event.calls.filter(call => priorityOf(call) >= priority);
  if (calls.length === 0) return null;
  const repeats = { ...event.repeats };
  for (const one of event.calls)
    if (one.took !== null && priorityOf(one) < priority) repeats[one.call] = (repeats[one.call] ?? 0) + 1;
  return { ...event, calls, repeats };
}

interface Entry {
  event: Event;
  text: string;
  /** Bytes of its text, with a newline. */
  size: number;
  /** What it costs its ring. */
  weight: number;
}

/** The newest events of one kind, oldest first, within a bound: a flood of them evicts events of its own kind. */
class Ring {
  readonly #limit: number;
  readonly #onEvict: (entry: Entry) => void;
  readonly #entries: Entry[] = [];
  /** Entries before this index are evicted; the array is cut when half of it is. */
  #start = 0;
  #weight = 0;

  /** @param limit the sum of the entries' weights @param onEvict gets each entry that leaves */
  constructor(limit: number, onEvict: (entry: Entry) => void = () => {}) {
    this.#limit = limit;
    this.#onEvict = onEvict;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#weight += entry.weight;
    // The newest always stays, however large: a log never ends in a hole.
    while (this.#weight > this.#limit && this.#start < this.#entries.length - 1) {
      const entry = this.#entries[this.#start]!;
      this.#weight -= entry.weight;
      this.#entries[this.#start++] = undefined as never;
      this.#onEvict(entry);
    }
    if (this.#start > 1024 && this.#start * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#start);
      this.#start = 0;
    }
  }

  at(index: number): Entry | undefined {
    return this.#entries[index];
  }

  /** Index of the first kept entry with a seq of at least `from`. */
  find(from: number): number {
    let low = this.#start;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.event.seq < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A gap from any of so many newest events is counted exactly. 4 MB at most. */
const remembered = 1 << 18;

/** A running total by seq, so that a gap counts what is gone though the log does not hold it any more. */
class RunningTotal {
  /** The total before each of the newest events. */
  #before: number[] = [];
  #next = 0;
  #total = 0;

  /** Adds the amount of the next event. */
  push(amount: number): void {
    this.#before[this.#next++ % remembered] = this.#total;
    this.#total += amount;
  }

  /** The sum of the amounts of events `from` … `to`-1. */
  between(from: number, to: number): number {
    return this.#at(to) - this.#at(from);
  }

  #at(seq: number): number {
    if (seq <= 0) return 0;
    if (seq >= this.#next) return this.#total;
    return this.#before[Math.max(seq, this.#next - remembered) % remembered]!;
  }
}
