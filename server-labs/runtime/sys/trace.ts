// Trace writer. Writes every system call into memory that a reader maps as a file (trace/layout.ts): a few stores into
// typed arrays, no system call, no allocation. It believes that one thread makes all the calls.
// A stack, a clock or a long preview costs as much as a short call. So the calls that a person can be shown one by one
// are written in detail, and the rest of a flood briefly: with its arguments and result, but no line and no duration. What
// differs from the flood is copied to a ring of its own, in detail.
import { rowsByIndex } from "../../protocol/calls.ts";
import { keptOffset, layout, preview, traceBytes } from "../../trace/layout.ts";
import { realNow } from "./clock.ts";
import { type Driver, ProgramPace, type StopReason } from "./pace.ts";
import { importance, Repetition, waysOf } from "./repetition.ts";
import { TaskTrace } from "./task-trace.ts";

/** While a program is busy the reader is woken this often, in milliseconds; a call that sleeps or fails wakes it at once. */
const wakeEveryMs = 20;
/**
 * Calls written in detail: 10,000 at a stroke, as a page shows them one by one, then 200 a second, more than a person
 * reads; and no details while there are more than 20 calls a millisecond, of which nearly all are brief anyway. A stack
 * through optimised code was measured at 8 to 35 µs: 200 of them a second cost a server 1.5 % of its requests.
 */
const detailsPerMs = 0.2;
const mostDetails = 10_000;
const floodPerMs = 20;
/** With fewer left than this, a flood is under way: no person makes a program call that fast. */
const floodDetails = mostDetails / 2;
/** Calls kept at a stroke, half of that ring, then in a millisecond: 20 of them cost a program 0.2 % of its time. */
const mostKept = layout.keptCapacity / 2;
const keptPerMs = 20;
/** With fewer left than this, by importance, a call is not kept. */
const keptReserve = [Number.POSITIVE_INFINITY, 0.75 * mostKept, 0.5 * mostKept, 0];
/** The same for the lines of kept calls in a flood: each is a stack. */
const mostKeptLines = 512;
const keptLinesPerMs = 0.05;
/** A call that was inside the kernel for longer, in microseconds, is kept: a person can see that time. */
const longUs = 10_000;
/** In a flood the clock is read at every 16th call. */
const clockMask = 15;
/** With these a brief record fills one line of the processor's cache instead of two. */
const briefPreviewBytes = 8;
const storesKeepOrder = process.arch === "x64";

/** Places in a record, in its 32-bit words; the two times are 64 bits wide. */
const words = layout.recordBytes / 4;
const at = layout.record;
const AT = at.at / 8;
const TOOK = at.took / 8;
const RESULT = at.result / 4;
const ERRNO = at.errno / 4;
const CALL_AND_KIND = at.call / 4;
const SITE = at.site / 4;
const ARGS = at.args / 4;
const FIFTH = ARGS + 4;
const LENGTH = at.previewLength / 4;
const COMMAND = layout.header.command;
const COUNTS = layout.header.counts;
const KEPT_INDEX = at.keptIndex / 4;
const nothing = new Uint8Array(0);

/** In a flood nearly all calls are these, and no person reads what they moved: to write it down cost 1 % of the requests. */
const moving = waysOf(rowsByIndex);

export class Trace {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #u8: Uint8Array;
  readonly #wake: () => void;
  readonly #site: () => number;
  readonly #driver: Driver;
  readonly #pace = new ProgramPace();
  /** Where what the tasks do is written. */
  readonly tasks: TaskTrace;
  /** From realNow() to CLOCK_MONOTONIC, in milliseconds. */
  readonly #epoch = Number(process.hrtime.bigint()) / 1e6 - realNow();
  #head = 0;
  /** The clock as it was read last, when the reader was woken last, and when details were given out last. */
  #now = 0;
  #wokenAt = 0;
  #given = 0;
  /** #now as CLOCK_MONOTONIC. */
  #time = 0;
  /** The count of records then. */
  #counted = 0;
  #details = mostDetails;
  /** Of the call under way: the first word of its record, its index, how it is written. */
  #base = 0;
  #call = 0;
  #detailed = false;
  #published = false;
  /** What it offers, when that was not written down. */
  #offered: Uint8Array = nothing;
  #offeredLength = 0;
  readonly #repetition = new Repetition(rowsByIndex);
  #kept = 0;
  #mayKeep = mostKept;
  #mayKeepLines = mostKeptLines;
  /** The command word when the commands were applied last, and whether the pace is looked at before each call. */
  #applied = 0;
  #paced = false;

  /**
   * @param memory of `traceBytes` bytes, all zero
   * @param wake wakes the reader; it must not block
   * @param site finds the place in the program that makes a call, as callSite() packs it
   * @param driver decides how fast the program goes: its commands are applied when the header's command word has changed
   */
  constructor(memory: ArrayBuffer, wake: () => void, site: () => number, driver: Driver) {
    this.#i32 = new Int32Array(memory, 0, traceBytes / 4);
    this.#f64 = new Float64Array(memory, 0, traceBytes / 8);
    this.#u8 = new Uint8Array(memory, 0, traceBytes);
    this.#wake = wake;
    this.#site = site;
    this.#driver = driver;
    this.tasks = new TaskTrace(memory, this.#pace, () => this.notify());
    Atomics.store(this.#i32, layout.header.version, layout.version);
    Atomics.store(this.#i32, layout.header.magic, layout.magic);
  }

  /** Applies the commands that have come: the first call is made at their pace. */
  applyCommands(): void {
    this.#applied = this.#i32[COMMAND]!;
    this.#driver.applyCommands(this.#pace);
    this.#paced = this.#pace.active;
  }

  /**
   * A call begins. One that may sleep is published now, as entered, because it may be long until there is more to
   * say; any other one only when it is done, unless the program waits before it.
   * enter() and leave() have only what nearly every call of a flood needs: V8 compiles a function into its caller if its
   * bytecode is short (460 bytes). Longer ones cost 9 ns more, of 45.
   */
  enter(
    call: number,
    maySleep: boolean,
    a: number,
    b: number,
    c: number,
    d: number,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): void {
    const base = this.#placeOf(this.#head);
    const i32 = this.#i32;
    this.#base = base;
    this.#call = call;
    this.#published = false;
    i32[base + ARGS] = a;
    i32[base + ARGS + 1] = b;
    i32[base + ARGS + 2] = c;
    i32[base + ARGS + 3] = d;
    if (maySleep || moving[call] === 0 || this.#details > 0) {
      this.#enterSeldom(maySleep, kind, bytes, length);
      return;
    }
    this.#detailed = false;
    i32[base + SITE] = 0;
    this.#enterMoving(bytes, length);
    if ((this.#head & clockMask) === 0) this.#readClock();
    this.#f64[(base >> 1) + AT] = this.#time;
    if (i32[COMMAND] !== this.#applied || this.#paced) this.#before(kind, bytes, length);
  }

  /** The rest of enter() for a call that is written in detail, may sleep, or moves no bytes. */
  #enterSeldom(maySleep: boolean, kind: number, bytes: Uint8Array, length: number): void {
    const [base, i32] = [this.#base, this.#i32];
    const detailed = this.#details > 0;
    this.#detailed = detailed;
    if (detailed) this.#details--;
    i32[base + SITE] = detailed ? this.#site() : 0;
    if (detailed || moving[this.#call] === 0) this.#show(kind, bytes, length);
    else this.#enterMoving(bytes, length);
    if (detailed || maySleep || (this.#head & clockMask) === 0) this.#readClock();
    this.#f64[(base >> 1) + AT] = this.#time;
    if (maySleep) {
      this.#publishEntered();
      this.#notifySoon();
    }
    if (i32[COMMAND] !== this.#applied || this.#paced) this.#before(kind, bytes, length);
  }

  /** What a brief record has of a call that moves bytes: its name alone. */
  #enterMoving(bytes: Uint8Array, length: number): void {
    this.#i32[this.#base + CALL_AND_KIND] = this.#call;
    this.#i32[this.#base + LENGTH] = this.#pace.taskBits;
    this.#offeredLength = length;
    if (length > 0) this.#offered = bytes;
  }

  /** The call has returned. `wrong`: with an error that is not an everyday answer. */
  leave(
    result: number,
    errno: number,
    wrong: boolean,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): void {
    const base = this.#base;
    const i32 = this.#i32;
    const way = moving[this.#call]!;
    if (
      way === 0 ||
      this.#detailed ||
      this.#published ||
      wrong ||
      this.#paced ||
      i32[COMMAND] !== this.#applied ||
      !this.#repetition.repeats(way, i32[base + ARGS]!, result, errno, this.#head)
    ) {
      this.#leaveSeldom(result, errno, wrong, kind, bytes, length);
      return;
    }
    i32[base + RESULT] = result;
    i32[base + ERRNO] = errno;
    this.#f64[(base >> 1) + TOOK] = Number.NaN;
    this.#publish();
    // Only then enter() has read the clock.
    if ((this.#head & clockMask) === 1 && this.#now - this.#wokenAt > wakeEveryMs) this.notify();
  }

  /** The same for every call but a brief one that moved bytes with the outcome of the one before. */
  #leaveSeldom(
    result: number,
    errno: number,
    wrong: boolean,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): void {
    const base = this.#base;
    const i32 = this.#i32;
    if (kind !== preview.none && (this.#detailed || moving[this.#call] === 0))
      this.#show(kind, bytes, length);
    i32[base + RESULT] = result;
    const took = this.#published || this.#detailed ? this.#sinceEnter() : Number.NaN;
    const stop =
      i32[COMMAND] !== this.#applied || this.#paced
        ? this.#stopsAfter(result, errno, kind, bytes, length)
        : null;
    const index = this.#published ? (this.#head - 1) | 0 : this.#head;
    const matters = this.#weigh(result, errno, wrong, took, index);
    if (matters) this.#inDetailKept(kind, bytes, length);
    if (this.#published) {
      // A reader may look at this very record: what it holds must be there before it counts as done, on arm64 too.
      Atomics.store(i32, base + ERRNO, errno);
      this.#f64[(base >> 1) + TOOK] = took;
    } else {
      i32[base + ERRNO] = errno;
      this.#f64[(base >> 1) + TOOK] = took;
      this.#publish();
    }
    if (matters) this.#copyKept(base, index);
    if (stop !== null) this.#waitAfter(stop);
    else if (wrong) this.#notifySoon();
    else if (this.#now - this.#wokenAt > wakeEveryMs) this.notify();
  }

  /** Is the call under way kept, as it differs from what repeats? Then so is the last of a run that it ends. */
  #weigh(result: number, errno: number, wrong: boolean, took: number, index: number): boolean {
    const args = this.#base + ARGS;
    const i32 = this.#i32;
    const repetition = this.#repetition;
    let matters = repetition.follow(
      this.#call,
      i32[args]!,
      i32[args + 1]!,
      i32[args + 2]!,
      result,
      errno,
      wrong,
      index,
    );
    if (took > longUs && this.#published) matters = importance.essential;
    if (matters === importance.none) return false;
    if (this.#mayKeep <= keptReserve[matters]!) {
      if (matters === importance.essential) i32[layout.header.missed]!++;
      return false;
    }
    const { endOfRun } = repetition;
    if (endOfRun !== -1 && ((index - endOfRun) | 0) < layout.capacity / 2)
      this.#copyKept(this.#placeOf(endOfRun), endOfRun);
    return true;
  }

  /** A kept call has what it moved, also in a flood, and its line as long as there are not too many. */
  #inDetailKept(kind: number, bytes: Uint8Array, length: number): void {
    if (this.#detailed) return;
    this.#detailed = true;
    if (this.#mayKeepLines >= 1) {
      this.#mayKeepLines--;
      this.#i32[this.#base + SITE] = this.#site();
    }
    if (kind !== preview.none) this.#show(kind, bytes, length);
    else if (moving[this.#call] !== 0) this.#show(preview.bytes, this.#offered, this.#offeredLength);
  }

  #copyKept(base: number, index: number): void {
    const i32 = this.#i32;
    const to = keptOffset / 4 + (this.#kept & (layout.keptCapacity - 1)) * words;
    i32.copyWithin(to, base, base + words);
    i32[to + KEPT_INDEX] = index;
    this.#mayKeep--;
    this.#kept = (this.#kept + 1) | 0;
    Atomics.store(i32, layout.header.kept, this.#kept);
  }

  /** The driver has sent a command, or has set a pace: decides whether the program waits before this call. */
  #before(kind: number, bytes: Uint8Array, length: number): void {
    if (this.#i32[COMMAND] !== this.#applied) this.applyCommands();
    let why = this.#decideBefore();
    if (why === null && this.#pace.delayMs === 0) return;
    // A call at which it waits is looked at: it is shown whole, however many there were before it.
    if (!this.#detailed) this.#inDetail(kind, bytes, length);
    if (!this.#published) this.#publishEntered();
    this.notify();
    if (why === null) {
      this.#driver.delay(this.#pace, this.#pace.delayMs);
      why = this.#decideBefore();
    }
    if (why !== null) this.#driver.wait(this.#pace, { where: "before", n: (this.#head - 1) >>> 0, ...why });
    this.#paced = this.#pace.active;
    this.#readClock();
    this.#f64[(this.#base >> 1) + AT] = this.#time;
  }

  #decideBefore(): StopReason | null {
    const [i32, args] = [this.#i32, this.#base + ARGS];
    return this.#pace.before(this.#call, i32[args]!, i32[args + 2]!);
  }

  /** The same after it; asked before the record is published, so that it can be made whole. */
  #stopsAfter(
    result: number,
    errno: number,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): StopReason | null {
    if (this.#i32[COMMAND] !== this.#applied) this.applyCommands();
    const [i32, args] = [this.#i32, this.#base + ARGS];
    const why = this.#pace.after(this.#call, i32[args]!, i32[args + 2]!, result, errno);
    if (why !== null && !this.#detailed) {
      this.#inDetail(kind, bytes, length);
      this.#detailed = false; // when it began was not looked at, so how long it took is not known
    }
    return why;
  }

  #waitAfter(why: StopReason): void {
    this.notify();
    this.#driver.wait(this.#pace, { where: "after", n: (this.#head - 1) >>> 0, ...why });
    this.#paced = this.#pace.active;
    this.#readClock();
  }

  #inDetail(kind: number, bytes: Uint8Array, length: number): void {
    this.#detailed = true;
    this.#i32[this.#base + SITE] = this.#site();
    if (kind !== preview.none) this.#show(kind, bytes, length);
  }

  /** Wakes the reader: the trace has something new. */
  notify(): void {
    this.#wokenAt = this.#now;
    this.#wake();
  }

  /** Wakes the reader at once, but in a flood not more often than usual: each wake-up is a system call. */
  #notifySoon(): void {
    if (this.#details > floodDetails || this.#now - this.#wokenAt > wakeEveryMs) this.notify();
  }

  /** Microseconds since the clock was read when this call began. */
  #sinceEnter(): number {
    const began = this.#now;
    this.#readClock();
    return (this.#now - began) * 1000;
  }

  #readClock(): void {
    const now = realNow();
    const passed = now - this.#given;
    if (((this.#head - this.#counted) | 0) < passed * floodPerMs)
      this.#details = Math.min(mostDetails, this.#details + passed * detailsPerMs);
    this.#mayKeep = Math.min(mostKept, this.#mayKeep + passed * keptPerMs);
    this.#mayKeepLines = Math.min(mostKeptLines, this.#mayKeepLines + passed * keptLinesPerMs);
    this.#given = now;
    this.#counted = this.#head;
    this.#now = now;
    this.#time = now + this.#epoch;
  }

  #placeOf(count: number): number {
    return layout.headerBytes / 4 + (count & (layout.capacity - 1)) * words;
  }

  #publishEntered(): void {
    const base = this.#base;
    this.#i32[base + RESULT] = 0;
    this.#i32[base + ERRNO] = 0;
    this.#f64[(base >> 1) + TOOK] = -1;
    this.#published = true;
    this.#publish();
  }

  /** The count makes the record visible, so it must not be seen before the record itself. */
  #publish(): void {
    this.#i32[COUNTS + this.#call]!++;
    this.#head = (this.#head + 1) | 0;
    // x64 keeps stores in order by itself, and there a plain one is a tenth of the price; arm64 does not.
    if (storesKeepOrder) this.#i32[layout.header.head] = this.#head;
    else Atomics.store(this.#i32, layout.header.head, this.#head);
    // The record after the next was read by another processor, and to get it back takes some 100 ns, for which the next
    // call would wait inside the kernel. Asked for now, with a word that is 0 in every record, it is here by then.
    this.#i32[this.#placeOf(this.#head + 1) + FIFTH] = 0;
  }

  #show(kind: number, bytes: Uint8Array, length: number): void {
    const base = this.#base;
    const i32 = this.#i32;
    i32[base + CALL_AND_KIND] = this.#call | (kind << 16);
    const most = this.#detailed ? layout.previewBytes : briefPreviewBytes;
    const shown = Math.max(0, Math.min(length, most));
    i32[base + LENGTH] = shown | this.#pace.taskBits;
    const u8 = this.#u8;
    for (let i = 0, to = 4 * base + at.preview; i < shown; i++, to++) u8[to] = bytes[i]!;
  }
}
