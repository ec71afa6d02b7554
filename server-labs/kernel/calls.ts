// Call counts. Counts of calls, and the call that a program is inside, from the trace: /proc has neither. The counter
// sees every record that is not lost, up to a million in a second.
import { tracedCalls } from "../protocol.ts";
import { argumentOf, callOf, hasReturned, stateOf, stateOfRecord } from "../trace.ts";

/** A call that has not returned. Two are the same if they are the same object. */
export interface Inside {
  name: string;
  args: readonly number[];
}

export class KernelCalls {
  /** By what came of them; a call that has not returned counts as waiting. */
  readonly counts = { ready: 0, waiting: 0, failed: 0 };
  /** The newest call, if it has not returned. */
  inside: Inside | null = null;

  /** @param again the call was seen before when it had not returned, and it has now */
  see(record: Buffer, again: boolean): void {
    if (again) this.counts.waiting--;
    this.counts[stateOfRecord(record)]++;
    this.inside = hasReturned(record)
      ? null
      : { name: tracedCalls[callOf(record)]!, args: [0, 1, 2].map(i => argumentOf(record, i)) };
  }

  /** A call that only moved bytes, and has returned. */
  moved(result: number, errno: number): void {
    this.counts[stateOf(0, result, errno)]++;
    this.inside = null;
  }
}
