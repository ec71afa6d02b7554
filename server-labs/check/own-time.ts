// A server's own time: all of it but what it spent waiting for a processor, which a busy machine takes from it. Judged
// by its own time, one that never sleeps is as busy on such a machine as on a quiet one, and one that sleeps as idle.
import { clock } from "./calls.ts";
import { processState, threads } from "./proc.ts";

export interface Spent {
  /** Milliseconds of its own time that are sure. */
  ms: number;
  /** Milliseconds of its own time at most: perhaps it waits for a processor just now. */
  most: number;
  /** Milliseconds on a processor, of all its threads. */
  ran: number;
  /** How often its busiest thread has gone to sleep of its own accord. */
  sleeps: number;
}

export class OwnTime {
  readonly #pids: () => readonly number[];
  #began = 0;
  #before: ReturnType<typeof threads> = new Map();

  /** Begins to count. @param pids the processes of one program */
  constructor(pids: () => readonly number[]) {
    this.#pids = pids;
    this.restart();
  }

  /** Counts from now on. */
  restart(): void {
    this.#before = threads(this.#pids());
    this.#began = clock();
  }

  /** What it has spent so far. */
  get spent(): Spent {
    const now = clock();
    let [ran, busiest, waited, sleeps] = [0, -1, 0, 0];
    for (const [thread, after] of threads(this.#pids())) {
      const before = this.#before.get(thread);
      const mine = after.ran - (before?.ran ?? 0);
      ran += mine;
      if (mine > busiest) {
        busiest = mine;
        [waited, sleeps] = [after.waited - (before?.waited ?? 0), after.sleeps - (before?.sleeps ?? 0)];
      }
    }
    const most = now - this.#began - waited;
    // The kernel books a wait when it is over. So of one that may wait just now only what it ran is surely its own.
    const ms = Math.max(ran, this.#asleep ? most : 0);
    return { ms, most: Math.max(ms, most), ran, sleeps };
  }

  get #asleep(): boolean {
    return this.#pids().every(pid => processState(pid) !== "R");
  }
}
