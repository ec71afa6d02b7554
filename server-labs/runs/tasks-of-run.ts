// Tasks of a run. Samples of what its tasks do, as events: whenever the kernel is sampled, when the program spawns its first
// task, when a warning has come, and when the program has ended.
import type { EventLog } from "../events.ts";
import type { TaskSample } from "../protocol.ts";
import type { TraceReader } from "../trace.ts";

/** Warnings come as fast as a program fails: a sample for each would be a flood. */
const warnEveryMs = 250;

export class TasksOfRun {
  readonly #log: EventLog;
  readonly #reader: () => TraceReader;
  #sent = "";
  #known = false;
  #warned = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  /** Tells a warning that came soon after another, also when the program has gone to sleep. */
  #later: NodeJS.Timeout | null = null;

  constructor(log: EventLog, reader: () => TraceReader) {
    this.#log = log;
    this.#reader = reader;
  }

  /** What the tasks do now; null when the program has none. */
  now(): TaskSample | null {
    return this.#reader().tasks.sample();
  }

  /** The trace was read: is there something that a person who does not look must know? */
  looked(): void {
    const { hasTasks, warned } = this.#reader().tasks.look();
    if (!hasTasks) return;
    if (this.#known && warned === this.#warned) return;
    const waits = this.#warnedAt + warnEveryMs - performance.now();
    if (this.#known && waits > 0) {
      this.#later ??= setTimeout(() => {
        this.#later = null;
        this.looked();
      }, waits).unref();
      return;
    }
    this.#known = true;
    this.#warned = warned;
    this.#warnedAt = performance.now();
    this.sample();
  }

  /** Emits what the tasks do now, unless the newest event says the same. */
  sample(): void {
    const sample = this.#log.ended ? null : this.now();
    if (sample === null) return;
    const text = JSON.stringify(sample);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#log.append({ type: "tasks", sample });
  }
}
