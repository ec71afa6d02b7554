// The trace memory, read whole: unlike the page, which is shown what a person can follow, a check sees every
// call that has not been written over before it looked, and knows how many it has missed.
import { closeSync, readSync } from "node:fs";
import { errnoName } from "../runtime/errno.ts";
import { layout, preview, tracedCalls } from "../trace-layout.ts";
import { type Call, Calls } from "./calls.ts";

/** Calls that are kept: some minutes of a server that rests, a second of one that does not. */
const keptCalls = 400_000;
const at = layout.record;

/** Where records are copied to be read at once: nobody keeps anything in it. */
const ring = Buffer.alloc(layout.capacity * layout.recordBytes);

export class Tracing {
  readonly #fd: number;
  readonly #header = Buffer.alloc(layout.headerBytes);
  #calls: Call[] = [];
  /** Calls begun so far, and the header's count (which wraps) that this stands for. */
  #n = 0;
  #head = 0;
  #missed: { n: number; count: number }[] = [];

  /** @param fd the memory, as createTraceMemory gave it; closed with close() */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** A program is really writing here. */
  get alive(): boolean {
    return this.#n > 0;
  }

  /** The number that the program's next call will have: everything from here on is new. */
  get next(): number {
    return this.#n;
  }

  /** The calls from number `n` on. */
  since(n: number): Calls {
    let from = this.#calls.length;
    while (from > 0 && this.#calls[from - 1]!.n >= n) from--;
    const missed = this.#missed.filter(gap => gap.n >= n).reduce((sum, gap) => sum + gap.count, 0);
    return new Calls(this.#calls.slice(from), missed);
  }

  /** The call in which the program is now; null when it is in its own code. */
  get inside(): Call | null {
    const last = this.#calls.at(-1);
    return last && last.took === null ? last : null;
  }

  /** Takes in what is new. */
  turn(): void {
    const head = this.#readHead();
    if (head === null) return;
    const fresh = (head - this.#head) >>> 0;
    const last = this.#calls.at(-1);
    const reread = last?.took === null && fresh < layout.capacity ? 1 : 0;
    if (fresh === 0 && reread === 0) return;
    const kept = Math.min(fresh, layout.capacity);
    const first = (head - kept - reread) >>> 0;
    this.#load(first, kept + reread);
    // While we copied, the program went on; it may be inside the record that follows its newest.
    const behind = (((this.#readHead() ?? head) - first) >>> 0) + 1;
    const torn = Math.max(0, behind - layout.capacity);
    if (reread && torn === 0) this.#calls[this.#calls.length - 1] = this.#decode(first, last!.n);
    const lost = fresh - kept + Math.max(0, torn - reread);
    if (lost > 0) this.#missed.push({ n: this.#n, count: lost });
    for (let i = lost; i < fresh; i++) {
      this.#calls.push(this.#decode((head - fresh + i) >>> 0, this.#n + i));
    }
    this.#n += fresh;
    this.#head = head;
    if (this.#calls.length > 2 * keptCalls) this.#calls = this.#calls.slice(-keptCalls);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readHead(): number | null {
    if (readSync(this.#fd, this.#header, 0, layout.headerBytes, 0) < layout.headerBytes) return null;
    const word = (index: number) => this.#header.readUInt32LE(index * 4);
    return word(layout.header.magic) === layout.magic ? word(layout.header.head) : null;
  }

  #load(first: number, count: number): void {
    const slot = first % layout.capacity;
    const straight = Math.min(count, layout.capacity - slot);
    const read = (from: number, records: number) => {
      const offset = from * layout.recordBytes;
      if (records > 0) {
        readSync(this.#fd, ring, offset, records * layout.recordBytes, layout.headerBytes + offset);
      }
    };
    read(slot, straight);
    read(0, count - straight);
  }

  #decode(index: number, n: number): Call {
    const record = (index % layout.capacity) * layout.recordBytes;
    const i32 = (offset: number) => ring.readInt32LE(record + offset);
    const took = ring.readDoubleLE(record + at.took);
    const errno = i32(at.errno);
    const line = i32(at.line);
    const hasAddress =
      ring.readUInt16LE(record + at.previewKind) === preview.address && i32(at.previewLength) >= 4;
    return {
      n,
      name: tracedCalls[ring.readUInt16LE(record + at.call)] ?? "?",
      at: ring.readDoubleLE(record + at.at),
      took: took < 0 ? null : took,
      args: [0, 4, 8, 12, 16].map(offset => i32(at.args + offset)),
      returned: i32(at.result),
      errno: errno === 0 ? null : errnoName(errno),
      port: hasAddress ? ring.readUInt16BE(record + at.preview + 2) : null,
      line: line > 0 ? line : null,
    };
  }
}
