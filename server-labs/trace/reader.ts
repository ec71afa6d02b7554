// Trace reader. A run's system calls, read while the program writes them, as events; shown one by one or counted.
// The program may have written anything: all that is read is a claim, is bounded, and never throws.
import { EarliestTimer } from "../lib/earliest-timer.ts";
import { type CallRecord, limits } from "../protocol.ts";
import { callOf, decodeCall, rounded } from "./decode.ts";
import { type DescriptorEvents, DescriptorTable } from "./descriptors.ts";
import { layout } from "./layout.ts";
import type { TraceMemory } from "./memory.ts";
import { type KeptCall, type RingLook, RingReader } from "./ring.ts";
import { type CallsBody, ShownCalls } from "./shown-calls.ts";
import { TaskTable } from "./tasks.ts";

/** A busy program wakes us every 20 ms only (runtime/sys/trace.ts); what it did in the last of them is seen by then. */
const lookAgainMs = 40;

/** Gets each record that was not lost, shown or not, in order, after the descriptor table has followed it. */
export interface Observer extends DescriptorEvents {
  /** @param again the call was seen before when it had not returned, and it has now */
  see(record: Buffer, again: boolean): void;
  /** Of a flood: a call that only moved bytes, and has returned. */
  moved(result: number, errno: number): void;
  /** The trace was read. */
  looked?(): void;
}

const noObserver: Observer = { see() {}, moved() {} };

export class TraceReader {
  /** What the program's descriptors are, by all records read so far. */
  readonly descriptors: DescriptorTable;
  readonly tasks: TaskTable;
  readonly #ring: RingReader;
  readonly #observer: Observer;
  readonly #now: () => number;
  readonly #shown: ShownCalls;
  /** CLOCK_MONOTONIC in milliseconds at `at` 0. */
  readonly #began: number;
  readonly #files: readonly string[];
  #lastRead: number;
  /** The count of records when it was read last. */
  #seen = 0;
  /** When it is read again, even if the program does not wake it. */
  readonly #again: EarliestTimer;
  #closed = false;
  /** Calls of which nothing is known but that they were made: they came too fast to be read. */
  lost = 0;
  /** Milliseconds that reading took so far. */
  busyMs = 0;

  /**
   * @param fd the memory (createTraceMemory), which close() closes
   * @param began performance.now() at `at` 0
   * @param emit gets the events, in order
   * @param now in milliseconds
   * @param files the program's files, the one that starts first
   */
  constructor(
    fd: number,
    began: number,
    emit: (body: CallsBody) => void,
    observer: Observer = noObserver,
    now: () => number = () => performance.now(),
    files: readonly string[] = [],
  ) {
    this.#ring = new RingReader(fd, now);
    this.descriptors = new DescriptorTable(observer);
    this.#observer = observer;
    this.#now = now;
    this.#began = Number(process.hrtime.bigint()) / 1e6 - (performance.now() - began);
    this.tasks = new TaskTable(this.#ring.memory, this.#began);
    const taskOf = (mark: number) => this.tasks.taskOf(mark);
    this.#shown = new ShownCalls(emit, this.#began, now, files, taskOf);
    this.#files = files;
    this.#again = new EarliestTimer(() => this.#look(false), now);
    this.#lastRead = now() - limits.flushMs;
  }

  /** The program says that there is something to see. A storm of this costs one read every flushMs. */
  wake(): void {
    if (this.#closed) return;
    const wait = this.#lastRead + limits.flushMs - this.#now();
    if (wait <= 0) this.#look(false);
    else this.#again.schedule(wait);
  }

  /** Reads all that is new, now. */
  read(): void {
    this.#look(true);
  }

  /** Reads to the end and gives everything out; the memory is gone afterwards. */
  close(): void {
    if (this.#closed) return;
    this.read();
    this.#again.cancel();
    this.#shown.end();
    this.#closed = true;
    this.#ring.close();
  }

  /** The number of calls that have begun. */
  get calls(): number {
    return this.#closed ? 0 : (this.#ring.memory.head() ?? 0);
  }

  /** One call as it is now; null: it was not made, or its record is no longer there. */
  call(n: number): CallRecord | null {
    const ago = (this.calls - n) >>> 0;
    if (ago === 0 || ago >= layout.capacity) return null;
    this.#ring.memory.load(n, n + 1);
    const record = this.#ring.memory.record(n);
    const taskOf = (mark: number) => this.tasks.taskOf(mark);
    return rounded(decodeCall(record, n, this.#began, undefined, this.#files, taskOf));
  }

  get memory(): TraceMemory {
    return this.#ring.memory;
  }

  /** @param whole whether the newest calls of a flood, too, are read now, and not when there are newer ones, or no more */
  #look(whole: boolean): void {
    if (this.#closed) return;
    const began = performance.now();
    this.#read(whole);
    this.#observer.looked?.();
    this.busyMs += performance.now() - began;
  }

  #read(whole: boolean): void {
    // A look at nothing delays no other: the first call is seen at once.
    if (this.#shown.count === 0 && this.#ring.memory.head() === null) return;
    this.#lastRead = this.#now();
    const before = this.#shown.count;
    this.#readNew(whole);
    const quiet = this.#shown.count === before;
    const held = this.#shown.give(quiet);
    // What is left out is shown when the program is quiet, and then it does not wake us. Nor does a program wake
    // us for its last calls before a silence, when it has done so just before.
    if (held) this.#again.schedule(limits.flushMs);
    else if (!quiet) this.#again.schedule(lookAgainMs);
  }

  #readNew(whole: boolean): void {
    const look = this.#ring.look();
    if (look === null) return;
    if (look.jumped) this.descriptors.lose();
    if (look.finished !== null) this.#finish(look.finished, look.finishedMatters);
    if (look.fresh === 0) return;
    const kept = this.#passLost(look);
    const { head, first } = look;
    const end = (head - (whole ? 0 : this.#left(head, (head - first) >>> 0))) >>> 0;
    this.#seen = head;
    let next = 0;
    for (let index = first; index !== end; index = (index + 1) >>> 0) {
      const matters = kept[next]?.index === index ? kept[next++]! : null;
      this.#one(index, (head - index - 1) >>> 0, matters);
    }
    this.#ring.advance(look, end);
  }

  /** What was written over before it was read is counted, and what matters of it is kept. @returns the other kept calls */
  #passLost({ first, lost, kept, missed, lostNames }: RingLook): readonly KeptCall[] {
    if (lost === 0) return kept;
    const begin = (first - lost) >>> 0;
    const place = ({ index }: KeptCall) => (index - begin) >>> 0;
    const among = kept.filter(call => place(call) < lost);
    this.lost += lost - among.length;
    if (missed) this.descriptors.lose();
    const calls = among.map(call => {
      const known = this.descriptors.follow(call.record);
      this.#observer.see(call.record, false);
      if (lostNames) lostNames[callOf(call.record)]!--;
      return { place: place(call), record: call.record, known };
    });
    this.#shown.lose(lost, lostNames, calls, missed || lostNames === null);
    return kept.slice(among.length);
  }

  /**
   * How many of the newest records of a flood are left for the next look: by then they are deep in it and cost little,
   * or the last before a silence. To read them each time as if they were the last was most of what reading cost.
   */
  #left(head: number, fresh: number): number {
    const goesOn = head !== this.#seen && fresh > limits.syscallsTail;
    return goesOn && this.#shown.omits && !this.#shown.mayResume ? limits.syscallsTail : 0;
  }

  /** @param newer how many records come after it, in this reading. @param kept it differs from what repeats */
  #one(index: number, newer: number, kept: KeptCall | null): void {
    // Of a flood only the tail is shown: what is deeper is counted, and costs no more than that.
    const deep = newer >= limits.syscallsTail && this.#shown.omits;
    if (deep && kept === null && this.#moved(index)) return;
    const record = kept?.record ?? this.#ring.memory.record(index);
    if (!deep) this.#shown.take(record, this.descriptors.follow(record), kept !== null);
    else if (kept !== null) this.#shown.keep(record, this.descriptors.follow(record));
    else {
      this.descriptors.see(record);
      this.#shown.pass(record);
    }
    this.#observer.see(record, false);
  }

  /**
   * Takes a record of a flood by a few of its words, if that is enough. The processor that does this is one that the
   * program's clients would have: a whole look at each was 8 % of it, at half a million calls a second.
   */
  #moved(index: number): boolean {
    const { memory } = this.#ring;
    const call = memory.moved(index);
    if (call === 0) return false;
    const { fd, result, errno } = memory;
    this.descriptors.moved(fd);
    this.#observer.moved(result, errno);
    this.#shown.move(call);
    return true;
  }

  /** The newest call, which was seen entered, has returned. */
  #finish(index: number, matters: boolean): void {
    const record = this.#ring.memory.record(index);
    this.#shown.finish(record, this.#shown.count - 1, this.descriptors.follow(record), matters);
    this.#observer.see(record, true);
  }
}
