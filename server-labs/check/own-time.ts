// A server's own time: all of it but what it spent waiting for a processor, which a busy machine takes from it. Judged
// by its own time, one that never sleeps is as busy on such a machine as on a quiet one, and one that sleeps as idle.
import { clock } from "./calls.ts";
import { processState, threads } from "./proc.ts";

export interface Spent {
  /** It sleeps in this moment: it waits for something, and not for a processor. */
  asleep: boolean;
  /** Milliseconds of its own time; at most, if it is not asleep: the kernel books a wait when it is over. */
  ms: number;
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
    // Looked at first: what it does from then on makes its own time longer, and not shorter.
    const [asleep, now] = [this.#asleep, clock()];
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
    return { asleep, ms: Math.max(ran, now - this.#began - waited), ran, sleeps };
  }

  get #asleep(): boolean {
    return this.#pids().every(pid => processState(pid) !== "R");
  }
}
