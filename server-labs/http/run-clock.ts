// Run clock. Up to which moment of a run a page knows everything. A program that sleeps, and a kernel that stays as it is,
// make no events: without this, a page could not tell a long sleep from events that are late.
import type { RunHandle } from "../labs.ts";
import type { Notice } from "../protocol.ts";

/** Milliseconds between two of them: the page's words about a second are true then. */
export const clockEveryMs = 500;

/**
 * The time of a run, for a page that has been sent all its events; null where there are others, or the page does not ask
 * how long something lasts.
 * @param next the seq after the last event that was sent
 * @param samples the page wants samples of this run
 */
export function runClock(
  { id, log, kernel }: Pick<RunHandle, "id" | "log" | "kernel">,
  next: number,
  samples: boolean,
): Extract<Notice, { type: "clock" }> | null {
  if (log.ended || next < log.nextSeq) return null;
  const isAsleep = log.newest("syscalls")?.calls.at(-1)?.took === null;
  if (!isAsleep && !samples) return null;
  const sampledAt = kernel?.sampledAt ?? null;
  const sampled = sampledAt === null ? null : sampledAt - log.startedAt;
  return { type: "clock", run: id, at: log.clock, sampled };
}
