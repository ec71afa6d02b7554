// What a server does while nobody says anything, and when it has done all that it had to do. Judged by its own time
// (own-time.ts): a busy machine makes a wait longer, and changes no result.
import type { Journal } from "./journal.ts";
import { count } from "./journal.ts";
import type { Observed } from "./observed.ts";
import { cpuMs } from "./proc.ts";
import { every, patience, type Waiting, type Within } from "./wait.ts";
import type { Watch } from "./watch.ts";

/** Between two looks into /proc, in milliseconds. */
const lookMs = 5;
/** Milliseconds on a processor that a server may take for one thing that is asked of it: far more than any needs. */
const tiredMs = 1500;
const tiredEveryMs = 50;
/** On a machine so busy that a server gets this part of its time only, what is measured is still enough to judge. */
const mostIdle = 50;

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
  over?: number;
  enough?: number;
  /** A change by no more than this is none. */
  slack?: number;
}

/** See Observed.idle. */
export async function idle(server: Observed, waits: Waiting, journal: Journal, ms: number): Promise<Idle> {
  const watch = server.traced ? server.watch() : null;
  const own = server.ownTime();
  let spent = own.spent;
  const over = every(2 * lookMs, () => {
    spent = own.spent;
    // Of one that is not asleep only what it ran is surely its own.
    return spent.asleep ? spent.ms >= ms : spent.ran >= ms;
  });
  await waits.until(over, mostIdle * ms);
  const busy = spent.ran / Math.max(spent.asleep ? spent.ms : spent.ran, 1);
  const calls = watch && watch.calls.length + watch.calls.missed;
  const restless = watch?.calls.turns.filter(turn => turn.rests.length === 0).length ?? 0;
  journal.note(
    `in ${ms} ms of the server's own time: ${Math.round(busy * 100)} % of a processor${calls === null ? "" : `, ${count(calls, "system call")}`}`,
  );
  return { busy, calls, sleeps: spent.sleeps, restless: restless / Math.max(spent.sleeps, 1), watch };
}

/** See Observed.settles. */
export async function settles(
  server: Observed,
  waits: Waiting,
  number: () => number,
  { over = 100, enough = Number.POSITIVE_INFINITY, slack = 0, within = patience }: Settling,
): Promise<number> {
  const own = server.ownTime();
  let last = number();
  const settled = every(lookMs, () => {
    const now = number();
    if (Math.abs(now - last) > slack) {
      last = now;
      own.restart();
    }
    const { asleep, ms, ran } = own.spent;
    return now > enough || (asleep ? ms >= over : ran >= tiredMs);
  });
  await waits.until(settled, within);
  return number();
}

/** See Observed.tired. */
export function tired(server: Observed): () => boolean {
  const ran = () => server.pids.reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
  let before: number | null = null;
  const look = every(tiredEveryMs, () => {
    before ??= ran();
    return ran() - before > tiredMs;
  });
  return () => look() ?? false;
}
