// The watcher's end of the trace memory: a run's system calls, read while the program writes them, as events.
// The program may have written anything in there: whatever is read is a claim, is bounded, and never throws.
// Every call is in exactly one place: shown (when it sleeps: entered, then done), or counted as left out.
import { Bucket } from "./bucket.ts";
import { Descriptors } from "./descriptors.ts";
import type { EventBody } from "./event-log.ts";
import { OmittedCalls } from "./omitted-calls.ts";
import { limits, type Syscall } from "./protocol.ts";
import { callOf, syscallOf } from "./strace.ts";
import { callsThatMove, layout, tracedCalls } from "./trace-layout.ts";
import { TraceMemory } from "./trace-memory.ts";

export { createTraceMemory } from "./trace-memory.ts";

export type CallsBody = Extract<EventBody, { type: "syscalls" | "syscalls-omitted" }>;

const { capacity } = layout;
const moves = new Uint8Array(2 ** 16);
for (const name of callsThatMove) moves[tracedCalls.indexOf(name)] = 1;
/** Places in a record, in 32-bit words; the time is 64 bits wide. */
const CALL = layout.record.call / 4;
const TOOK = layout.record.took / 8;
const FD = layout.record.args / 4;
const RESULT = layout.record.result / 4;
const ERRNO = layout.record.errno / 4;
/** Calls shown in one event: some 50 KB of JSON. */
const callsPerEvent = 200;
/** A flood of calls is shown again when this many may be: four notices a second. */
const resumeCalls = limits.syscallsPerSecond / 4;
/** A busy program wakes us every 20 ms only (runtime/trace.ts); what it did in the last of them is seen by then. */
const lookAgainMs = 40;
/** No program makes more calls than this in a millisecond; a head that says so is nonsense. */
const callsPerMs = 20_000;

/** Who looks at each record that was not lost, shown or not, in order. */
export interface Observer {
  /** @param again seen before when it had not returned, and it has now */
  see(record: Buffer, again: boolean): void;
  /** Of a flood: one of callsThatMove, that has returned, told by what came of it alone. */
  moved(fd: number, result: number, errno: number): void;
}

const nobody: Observer = { see() {}, moved() {} };

export class TraceReader {
  readonly #memory: TraceMemory;
  readonly #emit: (body: CallsBody) => void;
  readonly #observer: Observer;
  readonly #now: () => number;
  readonly #bucket: Bucket;
  readonly #descriptors = new Descriptors();
  /** CLOCK_MONOTONIC in milliseconds at `at` 0. */
  readonly #began: number;
  /** Index of the next record to take, as a count that wraps at 2³², and the same as a count that does not. */
  #next = 0;
  #n = 0;
  /** The newest record, when it was shown as entered: it is read again. */
  #open: { index: number; n: number } | null = null;
  #omitted: OmittedCalls | null = null;
  #lastRead: number;
  #shown: Syscall[] = [];
  #timer: NodeJS.Timeout | null = null;
  #due = 0;
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
    this.#memory = new TraceMemory(fd);
    this.#emit = emit;
    this.#observer = observer;
    this.#now = now;
    this.#bucket = new Bucket(limits.syscallsPerSecond, limits.syscallsBurst, now);
    this.#began = Number(process.hrtime.bigint()) / 1e6 - (performance.now() - began);
    this.#lastRead = now() - limits.flushMs;
  }

  /** The program says that there is something to see. A storm of this costs one read every flushMs. */
  wake(): void {
    if (this.#closed) return;
    const wait = this.#lastRead + limits.flushMs - this.#now();
    if (wait <= 0) this.read();
    else this.#later(wait);
  }

  /** Reads what is new now. Called by wake(), and once more when the program is gone. */
  read(): void {
    if (this.#closed) return;
    const began = performance.now();
    this.#read();
    this.busyMs += performance.now() - began;
  }

  #read(): void {
    const head = this.#memory.head();
    // A look at nothing delays no other: the first call is seen at once.
    if (head === null && this.#n === 0) return;
    const elapsed = Math.max(0, this.#now() - this.#lastRead);
    this.#lastRead = this.#now();
    const before = this.#n;
    if (head !== null) this.#take(head, elapsed);
    const quiet = this.#n === before;
    const level = this.#bucket.level;
    if (this.#omitted && (level >= resumeCalls || (quiet && level >= 0))) this.#resume();
    this.#flush();
    // What is left out is shown when the program is quiet, and nobody may wake us then. Nor does a program wake
    // us for its last calls before a silence, when it has done so just before.
    if (this.#omitted) this.#later(limits.flushMs);
    else if (!quiet) this.#later(lookAgainMs);
  }

  /** True when the program says that it ends by itself, by exit and not by a signal. Ask before close(). */
  get exiting(): boolean {
    return this.#memory.exiting();
  }

  /** Reads to the end and gives everything out; the memory is gone afterwards. */
  close(): void {
    if (this.#closed) return;
    this.read();
    this.#cancel();
    if (this.#omitted) this.#resume();
    this.#closed = true;
    this.#memory.close();
  }

  /** The number of calls that have begun, and one of them as it stands now. Null: none, or it is no longer there. */
  get calls(): number {
    return this.#closed ? 0 : (this.#memory.head() ?? 0);
  }

  /** Raises the command word (trace-layout.ts). */
  raise(count: number): void {
    if (!this.#closed) this.#memory.raise(count);
  }

  call(n: number): Syscall | null {
    const ago = (this.calls - n) >>> 0;
    if (ago === 0 || ago >= capacity) return null;
    this.#memory.load(n, n + 1);
    return syscallOf(this.#memory.record(n), n, this.#began);
  }

  /** Reads in ms milliseconds, if it is not to be read sooner anyway. */
  #later(ms: number): void {
    const due = this.#now() + ms;
    if (this.#timer && this.#due <= due) return;
    this.#cancel();
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.read();
    }, ms);
  }

  #cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #take(head: number, elapsed: number): void {
    let fresh = (head - this.#next) >>> 0;
    if (fresh > capacity + elapsed * callsPerMs) {
      // Nonsense: the head went backwards, or faster than any machine. Nothing is known of what was skipped.
      this.#next = head;
      this.#open = null;
      this.#descriptors.forget();
      fresh = 0;
    }
    const kept = Math.min(fresh, capacity);
    const from = (head - kept) >>> 0;
    const reopen = this.#open && fresh < capacity ? this.#open : null;
    this.#memory.load(reopen ? reopen.index : from, head);
    // The program went on while we copied: what it may have written over since is lost, not garbled.
    const now = this.#memory.head() ?? head;
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
      this.#descriptors.forget();
      this.#leaveOut(0, lost);
      if (this.#bucket.level >= resumeCalls) this.#resume();
      index = (index + lost) >>> 0;
    }
    for (; index !== head; index = (index + 1) >>> 0) this.#one(index, (head - index - 1) >>> 0);
    this.#next = head;
  }

  /** @param newer how many records come after it, in this reading */
  #one(index: number, newer: number): void {
    // Of a flood only the tail is shown: what is deeper is counted, and costs no more than that.
    const omit = this.#omitted !== null || this.#bucket.level < 1;
    const deep = omit && newer >= limits.syscallsTail;
    if (deep && this.#moved(index)) return;
    const record = this.#memory.record(index);
    const n = this.#n;
    this.#observer.see(record, false);
    if (deep) {
      this.#descriptors.see(record);
      this.#leaveOut(callOf(record), 1);
    } else {
      const who = this.#descriptors.who(record);
      if (omit) this.#leaveOut(callOf(record), 1, record, who);
      else this.#show(record, who);
    }
    if (newer === 0 && !returned(record)) this.#open = { index, n };
  }

  /**
   * Takes a record of a flood by a few of its words, if that is enough. The processor that does this is one that the
   * program's clients would have: a whole look at each was 8 % of it, at half a million calls a second.
   */
  #moved(index: number): boolean {
    const { words, doubles } = this.#memory;
    const base = this.#memory.wordsOf(index);
    const call = words[base + CALL]! & 0xffff;
    if (moves[call] !== 1 || doubles[base / 2 + TOOK] === -1) return false;
    this.#observer.moved(words[base + FD]!, words[base + RESULT]!, words[base + ERRNO]!);
    this.#leaveOut(call, 1);
    return true;
  }

  #show(record: Buffer, who: Syscall["who"]): void {
    this.#bucket.take(1);
    this.#shown.push(syscallOf(record, this.#n++, this.#began, who));
    if (this.#shown.length >= callsPerEvent) this.#flush();
  }

  /** The call that was seen entered: has it returned by now? */
  #finish(open: { index: number; n: number }): void {
    const record = this.#memory.record(open.index);
    if (!returned(record)) return;
    this.#open = null;
    this.#observer.see(record, true);
    const who = this.#descriptors.who(record);
    if (this.#omitted?.replace(open.n, record, who)) return;
    this.#shown.push(syscallOf(record, open.n, this.#began, who));
  }

  #leaveOut(call: number, count: number, record?: Buffer, who?: Syscall["who"]): void {
    this.#omitted ??= new OmittedCalls(this.#n);
    this.#omitted.add(call, count, this.#n, record, who);
    this.#n += count;
  }

  #resume(): void {
    this.#flush();
    const { first, count, byName, tail } = this.#omitted!.close();
    this.#omitted = null;
    if (count > 0) this.#emit({ type: "syscalls-omitted", first, count, byName });
    this.#bucket.take(tail.length);
    this.#shown = tail.map(({ record, n, who }) => syscallOf(record, n, this.#began, who));
    this.#flush();
  }

  #flush(): void {
    if (this.#shown.length > 0) this.#emit({ type: "syscalls", calls: this.#shown });
    this.#shown = [];
  }
}

function returned(record: Buffer): boolean {
  return record.readDoubleLE(layout.record.took) !== -1;
}
