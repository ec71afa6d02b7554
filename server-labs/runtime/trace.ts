// Writes down every system call in memory that a watcher reads as a file (trace-layout.ts). A record is a few stores
// into typed arrays: no system call, no allocation. It believes that one thread makes all the calls.
import { layout, preview, type TracedCall, traceBytes, tracedCalls } from "../trace-layout.ts";

/** The index that a record holds for a call. */
export const callIndex = (name: TracedCall): number => tracedCalls.indexOf(name);

/** While a program is busy the watcher is told this often, in milliseconds; what sleeps or fails tells it at once. */
const wakeEveryMs = 20;
/** Calls that get their source line: 2000 a second, as many as a page shows one by one. */
const lineWindowMs = 50;
const linesPerWindow = 100;
const at = layout.record;

export class Trace {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #u16: Uint16Array;
  readonly #u8: Uint8Array;
  readonly #wake: () => void;
  readonly #line: () => number;
  /** From performance.now() to CLOCK_MONOTONIC, in milliseconds. */
  readonly #epoch = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  /** Which descriptors are known not to block; a call on any other one may sleep. */
  #nonblocking = new Uint8Array(4096);
  #head = 0;
  #lineWindow = 0;
  #linesLeft = 0;
  #began = 0;
  #woken = 0;
  /** Where the record of the call under way begins, in bytes. */
  #base: number = layout.headerBytes;
  #published = false;

  /**
   * @param memory of `traceBytes` bytes, all zero
   * @param wake tells the watcher to look; it must not block
   * @param line finds the line of the program that makes a call
   */
  constructor(memory: ArrayBuffer, wake: () => void, line: () => number) {
    this.#i32 = new Int32Array(memory, 0, traceBytes / 4);
    this.#f64 = new Float64Array(memory, 0, traceBytes / 8);
    this.#u16 = new Uint16Array(memory, 0, traceBytes / 2);
    this.#u8 = new Uint8Array(memory, 0, traceBytes);
    this.#wake = wake;
    this.#line = line;
    Atomics.store(this.#i32, layout.header.version, layout.version);
    Atomics.store(this.#i32, layout.header.magic, layout.magic);
  }

  /**
   * A call begins. One that may sleep is published now, as entered, because it may be long until there is more to
   * say; any other one only when it is done. Pause, step and slow motion (the header's command word) belong at the
   * top of this method: it runs before each call, with nothing of it done yet.
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
    const base = layout.headerBytes + (this.#head & (layout.capacity - 1)) * layout.recordBytes;
    this.#base = base;
    const i32 = this.#i32;
    const args = (base + at.args) >> 2;
    i32[args] = a;
    i32[args + 1] = b;
    i32[args + 2] = c;
    i32[args + 3] = d;
    i32[args + 4] = 0;
    this.#u16[(base + at.call) >> 1] = call;
    this.#show(kind, bytes, length);
    const now = performance.now();
    this.#began = now;
    this.#f64[(base + at.at) >> 3] = now + this.#epoch;
    i32[(base + at.line) >> 2] = this.#lineIfCheap(now);
    this.#published = maySleep;
    if (maySleep) {
      this.#f64[(base + at.took) >> 3] = -1;
      i32[(base + at.result) >> 2] = 0;
      i32[(base + at.errno) >> 2] = 0;
      this.#publish();
      this.tell(now);
    }
  }

  /** The call has returned. `tellNow`: something that a watcher must not learn 20 ms later. */
  leave(
    result: number,
    errno: number,
    tellNow: boolean,
    kind: number,
    bytes: Uint8Array,
    length: number,
  ): void {
    const now = performance.now();
    const base = this.#base;
    if (kind !== preview.none) this.#show(kind, bytes, length);
    this.#i32[(base + at.result) >> 2] = result;
    Atomics.store(this.#i32, (base + at.errno) >> 2, errno);
    this.#f64[(base + at.took) >> 3] = (now - this.#began) * 1000;
    if (!this.#published) this.#publish();
    if (tellNow || now - this.#woken > wakeEveryMs) this.tell(now);
  }

  /** Tells the watcher that there is something to see. */
  tell(now = performance.now()): void {
    this.#woken = now;
    this.#wake();
  }

  /** May a call on this descriptor sleep? True for any that is not known to be non-blocking. */
  blocks(fd: number): boolean {
    return this.#nonblocking[fd] !== 1;
  }

  setBlocking(fd: number, blocking: boolean): void {
    if (fd >= this.#nonblocking.length) {
      if (blocking) return;
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(fd + 1)));
      larger.set(this.#nonblocking);
      this.#nonblocking = larger;
    }
    this.#nonblocking[fd] = blocking ? 0 : 1;
  }

  /** A stack costs more than most calls. As many as a person can be shown get their line, the rest 0. */
  #lineIfCheap(now: number): number {
    if (now - this.#lineWindow > lineWindowMs) {
      this.#lineWindow = now;
      this.#linesLeft = linesPerWindow;
    }
    return this.#linesLeft-- > 0 ? this.#line() : 0;
  }

  /** Atomics order the record before the count that makes it visible, on arm64 too. */
  #publish(): void {
    this.#head = (this.#head + 1) | 0;
    Atomics.store(this.#i32, layout.header.head, this.#head);
  }

  #show(kind: number, bytes: Uint8Array, length: number): void {
    const base = this.#base;
    const shown = Math.max(0, Math.min(length, layout.previewBytes));
    this.#u16[(base + at.previewKind) >> 1] = kind;
    this.#i32[(base + at.previewLength) >> 2] = shown;
    const u8 = this.#u8;
    for (let i = 0, to = base + at.preview; i < shown; i++, to++) u8[to] = bytes[i]!;
  }
}
