// Writes down every system call in memory that a watcher reads as a file (trace-layout.ts): a few stores into typed
// arrays, no system call, no allocation. It believes that one thread makes all the calls.
// A stack, a clock or a long preview costs as much as a short call. So the calls that a person can be shown one by one
// are written in detail, and the rest of a flood briefly: with its arguments and result, but no line and no duration.
import { callsThatMove, layout, preview, type TracedCall, traceBytes, tracedCalls } from "../trace-layout.ts";
import { realNow } from "./clock.ts";
import { type Driver, Pace, type Why } from "./pace.ts";

/** The index that a record holds for a call. */
export const callIndex = (name: TracedCall): number => tracedCalls.indexOf(name);

/** While a program is busy the watcher is told this often, in milliseconds; what sleeps or fails tells it at once. */
const wakeEveryMs = 20;
/**
 * Calls written in detail: 10,000 at a stroke, as a page shows them one by one, then 200 a second, more than anybody
 * reads; and none while there are more than 20 calls a millisecond, of which nearly all are brief anyway. A stack
 * through optimised code was measured at 8 to 35 µs: 200 of them a second cost a server 1.5 % of its requests.
 */
const detailsPerMs = 0.2;
const mostDetails = 10_000;
const floodPerMs = 20;
/** With fewer left than this, a flood is under way: no person makes a program call that fast. */
const floodDetails = mostDetails / 2;
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
const LINE = at.line / 4;
const ARGS = at.args / 4;
const FIFTH = ARGS + 4;
const LENGTH = at.previewLength / 4;
const COMMAND = layout.header.command;

/** In a flood nearly all calls are these, and nobody reads what they moved: to write it down cost 1 % of the requests. */
const moving = callsThatMove.reduce((bits, name) => bits | (1 << callIndex(name)), 0);
const moves = (call: number) => ((moving >> call) & 1) === 1;

export class Trace {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #u8: Uint8Array;
  readonly #wake: () => void;
  readonly #line: () => number;
  readonly #driver: Driver;
  readonly #pace = new Pace();
  /** From realNow() to CLOCK_MONOTONIC, in milliseconds. */
  readonly #epoch = Number(process.hrtime.bigint()) / 1e6 - realNow();
  #head = 0;
  /** The clock as it was read last, when the watcher was told last, and when details were given out last. */
  #now = 0;
  #told = 0;
  #given = 0;
  /** The count of records then. */
  #counted = 0;
  #details = mostDetails;
  /** Of the call under way: the first word of its record, its index, how it is written. */
  #base = 0;
  #call = 0;
  #detailed = false;
  #published = false;
  /** The command word when the driver was listened to last, and whether each call is looked at. */
  #heard = 0;
  #paced = false;

  /**
   * @param memory of `traceBytes` bytes, all zero
   * @param wake tells the watcher to look; it must not block
   * @param line finds the line of the program that makes a call
   * @param driver says how fast the program goes: it is listened to when the header's command word has changed
   */
  constructor(memory: ArrayBuffer, wake: () => void, line: () => number, driver: Driver) {
    this.#i32 = new Int32Array(memory, 0, traceBytes / 4);
    this.#f64 = new Float64Array(memory, 0, traceBytes / 8);
    this.#u8 = new Uint8Array(memory, 0, traceBytes);
    this.#wake = wake;
    this.#line = line;
    this.#driver = driver;
    Atomics.store(this.#i32, layout.header.version, layout.version);
    Atomics.store(this.#i32, layout.header.magic, layout.magic);
  }

  /** Listens to the driver now: the first call is made at the pace that it says. */
  listen(): void {
    this.#heard = this.#i32[COMMAND]!;
    this.#driver.hear(this.#pace);
    this.#paced = this.#pace.active;
  }

  /**
   * A call begins. One that may sleep is published now, as entered, because it may be long until there is more to
   * say; any other one only when it is done, unless the program waits before it.
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
    const detailed = this.#details > 0;
    this.#base = base;
    this.#call = call;
    this.#detailed = detailed;
    this.#published = false;
    i32[base + ARGS] = a;
    i32[base + ARGS + 1] = b;
    i32[base + ARGS + 2] = c;
    i32[base + ARGS + 3] = d;
    if (detailed) {
      this.#details--;
      i32[base + LINE] = this.#line();
    } else {
      i32[base + LINE] = 0;
    }
    if (detailed || !moves(call)) this.#show(kind, bytes, length);
    else {
      i32[base + CALL_AND_KIND] = call;
      i32[base + LENGTH] = 0;
    }
    if (detailed || maySleep || (this.#head & clockMask) === 0) this.#readClock();
    this.#f64[(base >> 1) + AT] = this.#now + this.#epoch;
    if (maySleep) {
      this.#publishEntered();
      this.#tellSoon();
    }
    if (i32[COMMAND] !== this.#heard || this.#paced) this.#before(kind, bytes, length);
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
    if (kind !== preview.none && (this.#detailed || !moves(this.#call))) this.#show(kind, bytes, length);
    i32[base + RESULT] = result;
    const took = this.#published || this.#detailed ? this.#sinceEnter() : Number.NaN;
    const stop =
      i32[COMMAND] !== this.#heard || this.#paced
        ? this.#stopsAfter(result, errno, kind, bytes, length)
        : null;
    if (this.#published) {
      // A reader may look at this very record: what it holds must be there before it counts as done, on arm64 too.
      Atomics.store(i32, base + ERRNO, errno);
      this.#f64[(base >> 1) + TOOK] = took;
    } else {
      i32[base + ERRNO] = errno;
      this.#f64[(base >> 1) + TOOK] = took;
      this.#publish();
    }
    if (stop !== null) this.#waitAfter(stop);
    else if (wrong) this.#tellSoon();
    else if (this.#now - this.#told > wakeEveryMs) this.tell();
  }

  /** Something is asked of the program, or was: before a call, does it wait? */
  #before(kind: number, bytes: Uint8Array, length: number): void {
    if (this.#i32[COMMAND] !== this.#heard) this.listen();
    let why = this.#decideBefore();
    if (why === null && this.#pace.delayMs === 0) return;
    // A call at which it waits is looked at: it is shown whole, however many there were before it.
    if (!this.#detailed) this.#inDetail(kind, bytes, length);
    if (!this.#published) this.#publishEntered();
    this.tell();
    if (why === null) {
      this.#driver.delay(this.#pace, this.#pace.delayMs);
      why = this.#decideBefore();
    }
    if (why !== null) this.#driver.wait(this.#pace, { where: "before", n: (this.#head - 1) >>> 0, ...why });
    this.#paced = this.#pace.active;
    this.#readClock();
    this.#f64[(this.#base >> 1) + AT] = this.#now + this.#epoch;
  }

  #decideBefore(): Why | null {
    const [i32, args] = [this.#i32, this.#base + ARGS];
    return this.#pace.before(this.#call, i32[args]!, i32[args + 2]!);
  }

  /** The same after it; asked before the record is published, so that it can be made whole. */
  #stopsAfter(result: number, errno: number, kind: number, bytes: Uint8Array, length: number): Why | null {
    if (this.#i32[COMMAND] !== this.#heard) this.listen();
    const [i32, args] = [this.#i32, this.#base + ARGS];
    const why = this.#pace.after(this.#call, i32[args]!, i32[args + 2]!, result, errno);
    if (why !== null && !this.#detailed) {
      this.#inDetail(kind, bytes, length);
      this.#detailed = false; // when it began was not looked at, so how long it took is not known
    }
    return why;
  }

  #waitAfter(why: Why): void {
    this.tell();
    this.#driver.wait(this.#pace, { where: "after", n: (this.#head - 1) >>> 0, ...why });
    this.#paced = this.#pace.active;
    this.#now = realNow();
  }

  #inDetail(kind: number, bytes: Uint8Array, length: number): void {
    this.#detailed = true;
    this.#i32[this.#base + LINE] = this.#line();
    if (kind !== preview.none) this.#show(kind, bytes, length);
  }

  /** Tells the watcher that there is something to see. */
  tell(): void {
    this.#told = this.#now;
    this.#wake();
  }

  /** Tells at once; but in a flood no oftener than anything: a newline is a system call, and the watcher looks again. */
  #tellSoon(): void {
    if (this.#details > floodDetails || this.#now - this.#told > wakeEveryMs) this.tell();
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
    this.#given = now;
    this.#counted = this.#head;
    this.#now = now;
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
    i32[base + LENGTH] = shown;
    const u8 = this.#u8;
    for (let i = 0, to = 4 * base + at.preview; i < shown; i++, to++) u8[to] = bytes[i]!;
  }
}
