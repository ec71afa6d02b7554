// Tracing. The calls of the program under test, each of them: unlike the page, which shows what a person can follow, a check
// sees every call that was not written over before the checker looked, and knows how many it has missed.
import type { CallRecord } from "../protocol.ts";
import { DescriptorTable, decodeCall, type RingLook, RingReader } from "../trace.ts";
import { Calls } from "./calls.ts";

/** Calls that are kept: some minutes of a server that rests, a second of one that does not. */
const keptCalls = 400_000;

export class Tracing {
  readonly #ring: RingReader;
  readonly #files: readonly string[];
  readonly #descriptors = new DescriptorTable();
  #calls: CallRecord[] = [];
  /** Calls begun so far. */
  #n = 0;
  #missed: { n: number; count: number }[] = [];

  /**
   * @param fd the memory, as createTraceMemory gave it; close() closes it
   * @param files the program's files, the one that starts first
   */
  constructor(fd: number, files: readonly string[] = []) {
    this.#ring = new RingReader(fd);
    this.#files = files;
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
  get inside(): CallRecord | null {
    const last = this.#calls.at(-1);
    return last && last.took === null ? last : null;
  }

  /** Takes in what is new. */
  turn(): void {
    const look = this.#ring.look();
    if (look === null) return;
    if (look.jumped || look.missed) this.#descriptors.lose();
    if (look.finished !== null)
      this.#calls[this.#calls.length - 1] = this.#decode(look.finished, this.#n - 1);
    if (look.lost > 0) this.#takeLost(look);
    for (let i = look.lost; i < look.fresh; i++)
      this.#calls.push(this.#decode((look.first + i - look.lost) >>> 0, this.#n + i));
    this.#n += look.fresh;
    this.#ring.advance(look);
    if (this.#calls.length > 2 * keptCalls) this.#calls = this.#calls.slice(-keptCalls);
  }

  /** Raises the command word, so that the program reads its control socket at its next call. */
  raise(count: number): void {
    this.#ring.memory.raise(count);
  }

  close(): void {
    this.#ring.close();
  }

  /** Of the calls that were written over, those that matter are known still. */
  #takeLost({ first, lost, kept }: RingLook): void {
    const begin = (first - lost) >>> 0;
    const place = (index: number) => (index - begin) >>> 0;
    const known = kept.filter(({ index }) => place(index) < lost);
    this.#missed.push({ n: this.#n, count: lost - known.length });
    for (const { index, record } of known)
      this.#calls.push(this.#decodeRecord(record, this.#n + place(index)));
  }

  #decode(index: number, n: number): CallRecord {
    return this.#decodeRecord(this.#ring.memory.record(index), n);
  }

  #decodeRecord(record: Buffer, n: number): CallRecord {
    return decodeCall(record, n, 0, this.#descriptors.followPeer(record), this.#files);
  }
}
