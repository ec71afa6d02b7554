// Shown calls. Which of a program's calls are shown one by one, and which are only counted, because no person reads so many.
// Every call is in exactly one place: shown (when it sleeps: entered, then done), or counted as left out. Of a flood the
// calls that differ from what repeats are shown too, within a budget of their own.
import type { EventBody } from "../events.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { type CallRecord, type CallTask, limits, rowsByIndex } from "../protocol.ts";
import { callOf, decodeCall, type Known, resultOf, rounded } from "./decode.ts";
import { type OmittedCall, OmittedCalls } from "./omitted-calls.ts";

export type CallsBody = Extract<EventBody, { type: "syscalls" | "syscalls-omitted" }>;

/** Calls shown in one event: some 50 KB of JSON. */
const callsPerEvent = 200;
/** A flood of calls is shown again when this many may be: four notices a second. */
const resumeCalls = limits.syscallsPerSecond / 4;

export class ShownCalls {
  readonly #emit: (body: CallsBody) => void;
  readonly #bucket: TokenBucket;
  readonly #keptBucket: TokenBucket;
  /** CLOCK_MONOTONIC in milliseconds at `at` 0. */
  readonly #began: number;
  readonly #files: readonly string[];
  readonly #taskOf: (mark: number) => CallTask | undefined;
  #omitted: OmittedCalls | null = null;
  #shown: CallRecord[] = [];
  /** How many calls there were so far. */
  count = 0;

  /**
   * @param began CLOCK_MONOTONIC in milliseconds at `at` 0; now() in milliseconds
   * @param files the program's files, the one that starts first
   * @param taskOf finds the task of a mark
   */
  constructor(
    emit: (body: CallsBody) => void,
    began: number,
    now: () => number,
    files: readonly string[],
    taskOf: (mark: number) => CallTask | undefined,
  ) {
    this.#emit = emit;
    this.#taskOf = taskOf;
    this.#began = began;
    this.#files = files;
    this.#bucket = new TokenBucket(limits.syscallsPerSecond, limits.syscallsBurst, now);
    this.#keptBucket = new TokenBucket(limits.keptPerSecond, limits.keptBurst, now);
  }

  /** Is the next one left out? */
  get omits(): boolean {
    return this.#omitted !== null || this.#bucket.level < 1;
  }

  /** Will the calls that were left out be announced at the end of this reading, with the newest of it shown? */
  get mayResume(): boolean {
    return this.#bucket.level >= resumeCalls;
  }

  /** The next call: shown, or kept in case that it is one of the last before a silence. */
  take(record: Buffer, known: Known, matters: boolean): void {
    if (this.omits) {
      this.#leavingOut().addToTail(this.count++, record, known, matters);
      return;
    }
    this.#bucket.consume(1);
    this.#shown.push(this.#decode(record, this.count++, known, matters));
    if (this.#shown.length >= callsPerEvent) this.#flush();
  }

  /** The next call is not among the newest of a flood: it is counted. */
  pass(record: Buffer): void {
    const { opens, opensTwo, closes } = rowsByIndex[callOf(record)]!;
    if ((opens || opensTwo || closes) && resultOf(record) !== -1) this.#leavingOut().lack();
    this.move(callOf(record));
  }

  /** The same for a call that moved bytes. @param call its place in the table of calls */
  move(call: number): void {
    this.#leavingOut().add(call);
    this.count++;
  }

  /** The next call is deep in a flood, but differs from it. */
  keep(record: Buffer, known: Known): void {
    this.#leavingOut().keep(this.count++, record, known);
  }

  /**
   * The next calls were written over before they were read.
   * @param names how many of each name, the kept ones not among them; null: not known
   * @param kept those of them that matter, with their places among them, in order
   * @param missed some that opened or closed a descriptor are not among the kept ones
   */
  lose(
    count: number,
    names: Uint32Array | null,
    kept: readonly { place: number; record: Buffer; known: Known }[],
    missed: boolean,
  ): void {
    const omitted = this.#leavingOut();
    if (missed) omitted.lack();
    if (names) {
      for (const [call, times] of names.entries()) if (times > 0) omitted.addMany(call, times);
    } else omitted.addMany(0, count - kept.length);
    for (const { place, record, known } of kept) omitted.keep(this.count + place, record, known);
    this.count += count;
    if (this.mayResume) this.#resume();
  }

  /** Call n, which was taken when it had not returned, has returned. */
  finish(record: Buffer, n: number, known: Known, matters: boolean): void {
    if (this.#omitted?.replace(n, record, known, matters)) return;
    this.#shown.push(this.#decode(record, n, known, matters));
  }

  /** Gives out what may be. @param quiet there was nothing new. @returns whether anything is still held back */
  give(quiet: boolean): boolean {
    if (this.#omitted && (this.mayResume || (quiet && this.#bucket.level >= 0))) this.#resume();
    this.#flush();
    return this.#omitted !== null;
  }

  /** Gives out everything. */
  end(): void {
    if (this.#omitted) this.#resume();
  }

  #leavingOut(): OmittedCalls {
    this.#omitted ??= new OmittedCalls(this.count);
    return this.#omitted;
  }

  #decode(record: Buffer, n: number, known: Known | undefined, matters: boolean): CallRecord {
    const call = rounded(decodeCall(record, n, this.#began, known, this.#files, this.#taskOf));
    if (matters) call.matters = true;
    return call;
  }

  #resume(): void {
    this.#flush();
    const { first, count, byName, lost, incomplete, kept, tail } = this.#omitted!.close(
      this.#keptBucket.level,
    );
    this.#omitted = null;
    if (count > 0) {
      const through = kept.length > 0 ? { through: first + count + kept.length - 1 } : {};
      this.#emit({
        type: "syscalls-omitted",
        first,
        count,
        byName,
        ...through,
        ...(lost > 0 ? { lost } : {}),
        ...(incomplete ? { incomplete } : {}),
      });
    }
    this.#keptBucket.consume(kept.length);
    this.#bucket.consume(tail.length);
    this.#show(kept);
    this.#show(tail);
  }

  #show(calls: readonly OmittedCall[]): void {
    for (let from = 0; from < calls.length; from += callsPerEvent) {
      const some = calls.slice(from, from + callsPerEvent);
      this.#shown = some.map(({ record, n, known, matters }) => this.#decode(record, n, known, matters));
      this.#flush();
    }
  }

  #flush(): void {
    if (this.#shown.length > 0) this.#emit({ type: "syscalls", calls: this.#shown });
    this.#shown = [];
  }
}
