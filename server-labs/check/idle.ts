// What a server does while nobody speaks, and whether it has come to rest: both by its own time (own-time.ts), so that a
// busy machine changes how long we look, and not what we see.
import { count } from "./journal.ts";
import type { Observed } from "./observed.ts";
import { cpuMs } from "./proc.ts";
import { every, patience, type Waiting, type Within } from "./wait.ts";
import type { Watch } from "./watch.ts";

/** What a server did while nobody said anything. */
export interface Idle {
  /** The share of its own time in which it ran: 0 asleep, 1 without a pause. */
  busy: number;
  /** Its system calls; null when they cannot be seen. */
  calls: number | null;
  /** How often it went to sleep. */
  sleeps: number;
  /** Turns that ended without a rest, for each time that it slept: many, where it sleeps only when it is made to. */
  restless: number;
  /** Its calls, if they can be seen. */
  watch: Watch | null;
}

export interface Settling extends Within {
  /** Milliseconds of the server's own time in which the number did not change: 100 unless told. */
  over?: number;
  /** Nobody waits for a number that is greater than this. */
  enough?: number;
  /** A change by no more than this is none. */
  slack?: number;
}

/** Between two looks, in milliseconds: each reads some twenty files of /proc. */
const lookEveryMs = 10;
/** Milliseconds on a processor that a server may take for one thing that is asked of it: far more than any needs. */
const tiredMs = 1500;
const tiredEveryMs = 50;
/** On a machine so busy that a server gets this part of its time only, what is measured is still enough to judge. */
const mostTimes = 50;

/** Watches a server for so many milliseconds of its own time; and says it in a sentence. */
export async function idleness(
  server: Observed,
  waiting: Waiting,
  ms: number,
): Promise<{ idle: Idle; said: string }> {
  const watch = server.traced ? server.watch() : null;
  const own = server.ownTime();
  let spent = own.spent;
  const over = every(lookEveryMs, () => {
    spent = own.spent;
    // Of one that is not asleep only what it ran is surely its own.
    return spent.asleep ? spent.ms >= ms : spent.ran >= ms;
  });
  await waiting.until(over, mostTimes * ms);
  const { asleep, ran, sleeps } = spent;
  const busy = ran / Math.max(asleep ? spent.ms : ran, 1);
  const calls = watch && watch.calls.length + watch.calls.missed;
  const turns = watch?.calls.turns.filter(turn => turn.rests.length === 0).length ?? 0;
  const made = calls === null ? "" : `, ${count(calls, "system call")}`;
  return {
    idle: { busy, calls, sleeps, restless: turns / Math.max(sleeps, 1), watch },
    said: `in ${ms} ms of the server's own time: ${Math.round(busy * 100)} % of a processor${made}`,
  };
}

/** Waits until a number has not changed while the server had its time, and sleeps; or while it worked for so long. */
export async function settled(
  server: Observed,
  waiting: Waiting,
  number: () => number,
  options: Settling = {},
): Promise<number> {
  const { over = 100, enough = Number.POSITIVE_INFINITY, slack = 0, within = patience } = options;
  const own = server.ownTime();
  let last = number();
  const still = every(lookEveryMs, () => {
    const now = number();
    if (Math.abs(now - last) > slack) {
      last = now;
      own.restart();
    }
    const { asleep, ms, ran } = own.spent;
    return now > enough || (asleep ? ms >= over : ran >= tiredMs);
  });
  await waiting.until(still, within);
  return number();
}

/** Has a server, since this was first asked, run for so long that it will not come to what one waits for? */
export function tired(server: Observed): () => boolean {
  const ran = () => server.pids.reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
  let before: number | null = null;
  const look = every(tiredEveryMs, () => {
    before ??= ran();
    return ran() - before > tiredMs;
  });
  return () => look() ?? false;
}
