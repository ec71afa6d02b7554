// The watcher's end of the trace memory: a run's system calls, read while the program writes them, as events.
// The program may have written anything in there: whatever is read is a claim, is bounded, and never throws.
import { Alarm } from "./alarm.ts";
import { nobody, type Observer } from "./observer.ts";
import { limits, type Syscall } from "./protocol.ts";
import { type CallsBody, ShownCalls } from "./shown-calls.ts";
import { syscallOf } from "./strace.ts";
import { layout } from "./trace-layout.ts";
import { TraceMemory } from "./trace-memory.ts";

const { capacity } = layout;
/** A busy program wakes us every 20 ms only (runtime/trace.ts); what it did in the last of them is seen by then. */
const lookAgainMs = 40;
/** No program makes more calls than this in a millisecond; a head that says so is nonsense. */
const callsPerMs = 20_000;

export class TraceReader {
  readonly memory: TraceMemory;
  readonly #observer: Observer;
  readonly #now: () => number;
  readonly #shown: ShownCalls;
  /** CLOCK_MONOTONIC in milliseconds at `at` 0. */
  readonly #began: number;
  /** Index of the next record to take, as a count that wraps at 2³². */
  #next = 0;
  /** The newest record, when it was taken as entered: it is read again. */
  #open: { index: number; n: number } | null = null;
  #lastRead: number;
  /** The count of records when it was read last. */
  #seen = 0;
  /** When it is to be read again, though nobody may say so. */
  readonly #again: Alarm;
  #closed = false;
  /** Calls of which nothing is known but that they were made: they came too fast to be read. */
  lost = 0;
  /** Milliseconds that reading took so far. */
  busyMs = 0;

  /**
   * fd: the memory (createTraceMemory), which close() closes. began: performance.now() at `at` 0.
   * emit is called with events in order. now() in milliseconds.
   */
  constructor(
    fd: number,
    began: number,
    emit: (body: CallsBody) => void,
    observer: Observer = nobody,
    now: () => number = () => performance.now(),
  ) {
    this.memory = new TraceMemory(fd);
    this.#observer = observer;
    this.#now = now;
    this.#began = Number(process.hrtime.bigint()) / 1e6 - (performance.now() - began);
    this.#shown = new ShownCalls(emit, this.#began, now);
    this.#again = new Alarm(() => this.#look(false), now);
    this.#lastRead = now() - limits.flushMs;
  }

  /** The program says that there is something to see. A storm of this costs one read every flushMs. */
  wake(): void {
    if (this.#closed) return;
    const wait = this.#lastRead + limits.flushMs - this.#now();
    if (wait <= 0) this.#look(false);
    else this.#again.in(wait);
  }

  /** Reads all that is new, now. */
  read(): void {
    this.#look(true);
  }

  /** @param whole whether the newest calls of a flood, too, are read now and not when there are newer ones, or none */
  #look(whole: boolean): void {
    if (this.#closed) return;
    const began = performance.now();
    this.#read(whole);
    this.busyMs += performance.now() - began;
  }

  #read(whole: boolean): void {
    const head = this.memory.head();
    // A look at nothing delays no other: the first call is seen at once.
    if (head === null && this.#shown.count === 0) return;
    const elapsed = Math.max(0, this.#now() - this.#lastRead);
    this.#lastRead = this.#now();
    const before = this.#shown.count;
    if (head !== null) this.#take(head, elapsed, whole);
    const quiet = this.#shown.count === before;
    const held = this.#shown.give(quiet);
    // What is left out is shown when the program is quiet, and nobody may wake us then. Nor does a program wake
    // us for its last calls before a silence, when it has done so just before.
    if (held) this.#again.in(limits.flushMs);
    else if (!quiet) this.#again.in(lookAgainMs);
  }

  /** Reads to the end and gives everything out; the memory is gone afterwards. */
  close(): void {
    if (this.#closed) return;
    this.read();
    this.#again.cancel();
    this.#shown.end();
    this.#closed = true;
    this.memory.close();
  }

  /** The number of calls that have begun, and one of them as it stands now. Null: none, or it is no longer there. */
  get calls(): number {
    return this.#closed ? 0 : (this.memory.head() ?? 0);
  }

  call(n: number): Syscall | null {
    const ago = (this.calls - n) >>> 0;
    if (ago === 0 || ago >= capacity) return null;
    this.memory.load(n, n + 1);
    return syscallOf(this.memory.record(n), n, this.#began);
  }

  #take(head: number, elapsed: number, whole: boolean): void {
    let fresh = (head - this.#next) >>> 0;
    if (fresh > capacity + elapsed * callsPerMs) {
      // Nonsense: the head went backwards, or faster than any machine. Nothing is known of what was skipped.
      this.#next = head;
      this.#open = null;
      this.#shown.forget();
      fresh = 0;
    }
    const kept = Math.min(fresh, capacity);
    const from = (head - kept) >>> 0;
    const reopen = this.#open && fresh < capacity ? this.#open : null;
    this.memory.load(reopen ? reopen.index : from, head);
    // The program went on while we copied: what it may have written over since is lost, not garbled.
    const now = this.memory.head() ?? head;
    const passed = (now - head) >>> 0;
    const overrun = passed >= 2 ** 31 ? 0 : passed;
    const safe = (index: number) => ((head - index) >>> 0) + overrun < capacity;
    if (reopen && safe(reopen.index)) this.#finish(reopen);
    if (fresh === 0) return;
    this.#open = null;
    let index = this.#next;
    const lost = Math.min(fresh, fresh + overrun - capacity + 1);
    if (lost > 0) {
      this.lost += lost;
      this.#shown.lose(lost);
      index = (index + lost) >>> 0;
    }
    const end = (head - (whole ? 0 : this.#left(head, (head - index) >>> 0))) >>> 0;
    this.#seen = head;
    for (; index !== end; index = (index + 1) >>> 0) this.#one(index, (head - index - 1) >>> 0);
    this.#next = end;
  }

  /**
   * How many of the newest records of a flood are left for the next look: by then they are deep in it and cost little,
   * or the last before a silence. To read them each time as if they were the last was most of what reading cost.
   */
  #left(head: number, fresh: number): number {
    const goesOn = head !== this.#seen && fresh > limits.syscallsTail;
    return goesOn && this.#shown.omits && !this.#shown.due ? limits.syscallsTail : 0;
  }

  /** @param newer how many records come after it, in this reading */
  #one(index: number, newer: number): void {
    // Of a flood only the tail is shown: what is deeper is counted, and costs no more than that.
    const deep = newer >= limits.syscallsTail && this.#shown.omits;
    if (deep && this.#moved(index)) return;
    const record = this.memory.record(index);
    const n = this.#shown.count;
    this.#observer.see(record, false);
    if (deep) this.#shown.pass(record);
    else this.#shown.take(record);
    if (newer === 0 && !returned(record)) this.#open = { index, n };
  }

  /**
   * Takes a record of a flood by a few of its words, if that is enough. The processor that does this is one that the
   * program's clients would have: a whole look at each was 8 % of it, at half a million calls a second.
   */
  #moved(index: number): boolean {
    const call = this.memory.moved(index);
    if (call === 0) return false;
    const { fd, result, errno } = this.memory;
    this.#observer.moved(fd, result, errno);
    this.#shown.move(call);
    return true;
  }

  /** The call that was seen entered: has it returned by now? */
  #finish(open: { index: number; n: number }): void {
    const record = this.memory.record(open.index);
    if (!returned(record)) return;
    this.#open = null;
    this.#observer.see(record, true);
    this.#shown.finish(record, open.n);
  }
}

function returned(record: Buffer): boolean {
  return record.readDoubleLE(layout.record.took) !== -1;
}
