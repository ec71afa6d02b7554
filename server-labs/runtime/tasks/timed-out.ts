// Timed out. The error of a wait that did not end in its time.

/** Steps did not end in their time. */
export class TimedOut extends Error {
  /** The time that they had, in milliseconds. */
  readonly ms: number;

  constructor(ms: number) {
    super(`The time is over: ${Math.round(ms)} ms.`);
    this.name = "TimedOut";
    this.ms = ms;
  }
}
