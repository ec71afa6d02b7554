// Own time. The time of a server without the time in which it waited for a processor. Judged by it, a server that never
// sleeps is as busy on a loaded machine as on an idle one, and a server that sleeps is as idle.
import { defaultWaitMs, type Poller, throttle, type Within } from "../clients.ts";
import { clock } from "../lib/clock.ts";
import { count } from "../protocol.ts";
import type { CallWatch } from "./call-watch.ts";
import { cpuMs, runState, threads } from "./proc.ts";

/** The processes of one server. */
type Pids = () => readonly number[];

export interface SpentTime {
  /** The server sleeps now: it waits for an event, and not for a processor. */
  asleep: boolean;
  /** Milliseconds of own time. An upper bound while it is not asleep: the kernel books a wait when the wait is over. */
  ms: number;
  /** Milliseconds on a processor, of all its threads. */
  ran: number;
  /** Milliseconds that its busiest thread has waited for a processor. */
  waited: number;
  /** How often its busiest thread has gone to sleep of its own accord. */
  sleeps: number;
}

export class OwnTime {
  readonly #pids: Pids;
  #began = 0;
  #before: ReturnType<typeof threads> = new Map();

  /** Starts to count. */
  constructor(pids: Pids) {
    this.#pids = pids;
    this.restart();
  }

  /** Counts from now on. */
  restart(): void {
    this.#before = threads(this.#pids());
    this.#began = clock();
  }

  /** What the server has spent so far. */
  get spent(): SpentTime {
    // The state is read first: what the server does between these lines makes its own time longer, and not shorter.
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
    return { asleep, ms: Math.max(ran, now - this.#began - waited), ran, waited, sleeps };
  }

  get #asleep(): boolean {
    return this.#pids().every(pid => runState(pid) !== "R");
  }
}

/** What a server did while no client sent anything. */
export interface Idleness {
  /** The share of its own time in which it ran: 0 asleep, 1 without a pause. */
  busy: number;
  /** The number of its system calls; null when they cannot be seen. */
  calls: number | null;
  /** How often it went to sleep. */
  sleeps: number;
  /** Turns that ended without a rest, divided by `sleeps`: large for a server that sleeps only when it is forced to. */
  restless: number;
  /** Its calls, if they can be seen. */
  watch: CallWatch | null;
}

export interface SettleOptions extends Within {
  /** Milliseconds of the server's own time in which the number must not change; 100 by default. */
  over?: number;
  /** The wait ends when the number is greater than this. */
  enough?: number;
  /** A change by at most this much does not count. */
  slack?: number;
  /** The wait ends when this is true of the number. */
  until?: (number: number) => boolean;
}

/** Milliseconds between two looks: each look reads some twenty files of /proc. */
const lookEveryMs = 10;
/** Milliseconds of processor time within which any server has done what one request demands; far more than needed. */
const exhaustedMs = 1500;
const exhaustedEveryMs = 50;
/** A loaded machine may give a server one fiftieth of a processor: the measurement then lasts fifty times as long. */
const mostTimes = 50;

/** Observes a server for `ms` milliseconds of its own time. @returns what it did, and a sentence for the journal */
export async function measureIdleness(
  { pids, watch }: { pids: Pids; watch: CallWatch | null },
  poller: Poller,
  ms: number,
): Promise<{ idleness: Idleness; sentence: string }> {
  const own = new OwnTime(pids);
  let spent = own.spent;
  const over = throttle(lookEveryMs, () => {
    spent = own.spent;
    // While a server is not asleep, only the time that it ran is certainly its own.
    return spent.asleep ? spent.ms >= ms : spent.ran >= ms;
  });
  await poller.until(over, mostTimes * ms);
  const { asleep, ran, sleeps } = spent;
  const busy = ran / Math.max(asleep ? spent.ms : ran, 1);
  const calls = watch && watch.calls.length + watch.calls.missed;
  const restless = watch?.calls.turns.filter(turn => turn.rests.length === 0).length ?? 0;
  // A server that never sleeps may be in one turn all the time.
  const turns = sleeps === 0 ? Math.max(restless, calls ?? 0) : restless;
  const made = calls === null ? "" : `, ${count(calls, "system call")}`;
  return {
    idleness: { busy, calls, sleeps, restless: turns / Math.max(sleeps, 1), watch },
    sentence: `in ${ms} ms of the server's own time: ${Math.round(busy * 100)} % of a processor${made}`,
  };
}

/** Waits until a number has not changed for some of the server's own time, or the server has worked for too long. */
export async function settled(
  pids: Pids,
  poller: Poller,
  number: () => number,
  options: SettleOptions = {},
): Promise<number> {
  const { over = 100, enough = Number.POSITIVE_INFINITY, slack = 0, within = defaultWaitMs, until } = options;
  const own = new OwnTime(pids);
  let last = number();
  const still = throttle(lookEveryMs, () => {
    const now = number();
    if (until?.(now)) return true;
    if (Math.abs(now - last) > slack) {
      last = now;
      own.restart();
    }
    const { asleep, ms, ran } = own.spent;
    return now > enough || (asleep ? ms >= over : ran >= exhaustedMs);
  });
  await poller.until(still, within);
  return number();
}

/** Makes a probe: true when the server has run for so long since the probe's first call that more waiting is useless. */
export function exhaustion(pids: Pids): () => boolean {
  const ran = () => pids().reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
  let before: number | null = null;
  const look = throttle(exhaustedEveryMs, () => {
    before ??= ran();
    return ran() - before > exhaustedMs;
  });
  return () => look() ?? false;
}
