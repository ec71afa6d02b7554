// Which of a program's calls are shown one by one, and which are only counted, because there are more than anybody
// reads. Every call is in exactly one place: shown (when it sleeps: entered, then done), or counted as left out.
import { Bucket } from "./bucket.ts";
import { Descriptors } from "./descriptors.ts";
import type { EventBody } from "./event-log.ts";
import { OmittedCalls } from "./omitted-calls.ts";
import { limits, type Syscall } from "./protocol.ts";
import { callOf, syscallOf } from "./strace.ts";

export type CallsBody = Extract<EventBody, { type: "syscalls" | "syscalls-omitted" }>;

/** Calls shown in one event: some 50 KB of JSON. */
const callsPerEvent = 200;
/** A flood of calls is shown again when this many may be: four notices a second. */
const resumeCalls = limits.syscallsPerSecond / 4;

export class ShownCalls {
  readonly #emit: (body: CallsBody) => void;
  readonly #bucket: Bucket;
  readonly #descriptors = new Descriptors();
  /** CLOCK_MONOTONIC in milliseconds at `at` 0. */
  readonly #began: number;
  #omitted: OmittedCalls | null = null;
  #shown: Syscall[] = [];
  /** How many there were so far. */
  count = 0;

  /** @param began CLOCK_MONOTONIC in milliseconds at `at` 0; now() in milliseconds */
  constructor(emit: (body: CallsBody) => void, began: number, now: () => number) {
    this.#emit = emit;
    this.#began = began;
    this.#bucket = new Bucket(limits.syscallsPerSecond, limits.syscallsBurst, now);
  }

  /** Is the next one left out? */
  get omits(): boolean {
    return this.#omitted !== null || this.#bucket.level < 1;
  }

  /** Will what was left out be told at the end of this reading, with the newest of it shown? */
  get due(): boolean {
    return this.#bucket.level >= resumeCalls;
  }

  /** The next call: shown, or kept in case that it is one of the last before a silence. */
  take(record: Buffer): void {
    const who = this.#descriptors.who(record);
    if (this.omits) {
      this.#leaveOut(callOf(record), 1, record, who);
      return;
    }
    this.#bucket.take(1);
    this.#shown.push(syscallOf(record, this.count++, this.#began, who));
    if (this.#shown.length >= callsPerEvent) this.#flush();
  }

  /** The next call is not among the newest of a flood: it is counted. */
  pass(record: Buffer): void {
    this.#descriptors.see(record);
    this.#leaveOut(callOf(record), 1);
  }

  /** The same for one that leaves every descriptor what it was. @param call index in tracedCalls */
  move(call: number): void {
    this.#leaveOut(call, 1);
  }

  /** Of the next calls nothing is known but that they were made. */
  lose(count: number): void {
    this.#descriptors.forget();
    this.#leaveOut(0, count);
    if (this.due) this.#resume();
  }

  /** What was known of descriptors may no longer hold. */
  forget(): void {
    this.#descriptors.forget();
  }

  /** Call n, which was taken when it had not returned, has returned. */
  finish(record: Buffer, n: number): void {
    const who = this.#descriptors.who(record);
    if (this.#omitted?.replace(n, record, who)) return;
    this.#shown.push(syscallOf(record, n, this.#began, who));
  }

  /** Gives out what may be. @param quiet there was nothing new. @returns whether anything is still held back */
  give(quiet: boolean): boolean {
    if (this.#omitted && (this.due || (quiet && this.#bucket.level >= 0))) this.#resume();
    this.#flush();
    return this.#omitted !== null;
  }

  /** Gives out everything. */
  end(): void {
    if (this.#omitted) this.#resume();
  }

  #leaveOut(call: number, count: number, record?: Buffer, who?: Syscall["who"]): void {
    this.#omitted ??= new OmittedCalls(this.count);
    this.#omitted.add(call, count, this.count, record, who);
    this.count += count;
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
