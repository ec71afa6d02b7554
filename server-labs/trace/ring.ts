// Ring reader. Reads the new records of a trace memory, for every part that follows a program. The program writes while
// the records are copied: the reader drops those that the program may have overwritten meanwhile, and counts them by name.
// Of those, the calls that matter are still there, as the program has kept them in a ring of their own.
import { tracedCalls } from "../protocol/calls.ts";
import { hasReturned } from "./decode.ts";
import { layout } from "./layout.ts";
import { TraceMemory } from "./memory.ts";

const { capacity, keptCapacity } = layout;
/** No program makes more calls than this in a millisecond; a head that says so is nonsense. */
const callsPerMs = 20_000;

/** A call that matters, as the program has kept it. */
export interface KeptCall {
  index: number;
  record: Buffer;
}

/** One look at the ring. Indexes are counts that wrap at 2³². */
export interface RingLook {
  /** The count of records begun. */
  head: number;
  /** Records since the last look, of which the first `lost` are no longer there. */
  fresh: number;
  lost: number;
  /** The first of them that can be read. */
  first: number;
  /** The record that was seen entered, when it has returned by now; it comes before the fresh ones. */
  finished: number | null;
  /** The program has kept that record, as its call matters. */
  finishedMatters: boolean;
  /** The head makes no sense: nothing is known of what was written before it. */
  jumped: boolean;
  /** The kept calls among the fresh ones, lost or not, by their order. Their records hold until the next look. */
  kept: KeptCall[];
  /** Of the lost calls some that opened or closed a descriptor were not kept. */
  missed: boolean;
  /** The lost calls by name, the kept ones among them too; null: not known. */
  lostNames: Uint32Array | null;
}

export class RingReader {
  readonly memory: TraceMemory;
  readonly #now: () => number;
  #lookedAt: number;
  /** The next record to take. */
  #next = 0;
  /** The newest record, when its call had not returned. */
  #open: number | null = null;
  #nextKept = 0;
  /** Kept calls of records that were left for the next look. */
  #pending: KeptCall[] = [];
  #missed = 0;
  /** Calls by name, of all records before #next; of nonsense, nonsense. */
  #named = new Uint32Array(tracedCalls.length);
  readonly #counts = new Uint32Array(tracedCalls.length);

  /** @param fd as createTraceMemory gave it; close() closes it. @param now in milliseconds */
  constructor(fd: number, now: () => number = () => performance.now()) {
    this.memory = new TraceMemory(fd);
    this.#now = now;
    this.#lookedAt = now();
  }

  /** The next record to take: where advance() has set it. */
  get next(): number {
    return this.#next;
  }

  /** Copies what is new. @returns null where nothing (or nonsense) has been written yet */
  look(): RingLook | null {
    const elapsed = Math.max(0, this.#now() - this.#lookedAt);
    this.#lookedAt = this.#now();
    const head = this.#head();
    if (head === null) return null;
    const { kept: keptHead, missed } = this.memory.kept();
    const counted = this.memory.counts(this.#counts);
    let fresh = (head - this.#next) >>> 0;
    const jumped = fresh > capacity + elapsed * callsPerMs;
    if (jumped) {
      this.#next = head;
      this.#open = null;
      this.#named = this.#counts.slice();
      fresh = 0;
    }
    const open = fresh < capacity ? this.#open : null;
    this.memory.load(open ?? (head - Math.min(fresh, capacity)) >>> 0, head);
    const passed = ((this.memory.head() ?? head) - head) >>> 0;
    const overrun = passed >= 2 ** 31 ? 0 : passed;
    // The slot after the newest record may be half written: of the ring one record less than its capacity is safe.
    const lost = Math.max(0, Math.min(fresh, fresh + overrun - capacity + 1));
    let finished: number | null = null;
    if (
      open !== null &&
      ((head - open) >>> 0) + overrun < capacity &&
      hasReturned(this.memory.record(open))
    ) {
      finished = open;
      this.#open = null;
    }
    const first = (this.#next + lost) >>> 0;
    const lostNames = lost > 0 && counted ? this.#lostNames(first, head, lost) : null;
    const { kept, overwritten, earlier } = this.#keptCalls(keptHead, head);
    const finishedMatters = finished !== null && earlier.has(finished);
    const isMissed = lost > 0 && (overwritten || missed !== this.#missed);
    this.#missed = missed;
    return { head, fresh, lost, first, finished, finishedMatters, jumped, kept, missed: isMissed, lostNames };
  }

  /** The head, read in a moment in which the counts by name add up to it, if there is one. */
  #head(): number | null {
    for (let tries = 1; ; tries++) {
      const head = this.memory.head();
      if (head === null || tries === 4 || this.memory.counts(this.#counts)) return head;
    }
  }

  #lostNames(first: number, head: number, lost: number): Uint32Array | null {
    const atFirst = this.#counts.slice();
    this.memory.subtract(atFirst, first, head);
    const names = atFirst.map((count, call) => count - this.#named[call]!);
    const sum = names.reduce((sum, count) => sum + count, 0);
    return sum === lost ? names : null;
  }

  /** The kept calls among the fresh ones. Those of calls that are not published yet are left for the next look. */
  #keptCalls(
    keptHead: number,
    head: number,
  ): { kept: KeptCall[]; overwritten: boolean; earlier: Set<number> } {
    const fresh = (keptHead - this.#nextKept) >>> 0;
    const from = (keptHead - Math.min(fresh, keptCapacity)) >>> 0;
    this.memory.loadKept(from, keptHead);
    this.memory.head();
    const overrun = (this.memory.kept().kept - keptHead) >>> 0;
    // As in the other ring, the slot after the newest may be half written.
    const gone = Math.max(0, Math.min(fresh, fresh + Math.min(overrun, keptCapacity) - keptCapacity + 1));
    const count = (head - this.#next) >>> 0;
    const kept = this.#pending;
    this.#pending = [];
    const earlier = new Set<number>();
    let next = (this.#nextKept + gone) >>> 0;
    for (; next !== keptHead; next = (next + 1) >>> 0) {
      const call = this.memory.keptRecord(next);
      if ((call.index - this.#next) >>> 0 < count) kept.push(call);
      else if (((call.index - head) | 0) >= 0) break;
      else earlier.add(call.index);
    }
    this.#nextKept = next;
    const ago = ({ index }: KeptCall) => (index - this.#next) >>> 0;
    kept.sort((a, b) => ago(a) - ago(b));
    const different = kept.filter((call, i) => call.index !== kept[i - 1]?.index);
    return { kept: different, overwritten: gone > 0, earlier };
  }

  /** The records before this one were taken. When they are all that there are, the newest may still be inside its call. */
  advance(look: RingLook, to = look.head): void {
    if (look.fresh === 0) return;
    this.#named = this.#counts.slice();
    this.memory.subtract(this.#named, to, look.head);
    const after = ({ index }: KeptCall) => (index - to) >>> 0 < (look.head - to) >>> 0;
    this.#pending = look.kept
      .filter(after)
      .map(({ index, record }) => ({ index, record: Buffer.from(record) }));
    this.#next = to;
    const newest = (to - 1) >>> 0;
    const isOpen = to === look.head && look.fresh > look.lost && !hasReturned(this.memory.record(newest));
    this.#open = isOpen ? newest : null;
  }

  close(): void {
    this.memory.close();
  }
}
