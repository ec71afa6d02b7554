// Lateness. How late this process has been: it waited for a processor, or did the work of other checks. A check that sends
// and reads late may blame a server for it.
import { clock } from "../lib/clock.ts";

/** Milliseconds between two ticks. */
const tickMs = 20;
/** A tick that is late by fewer milliseconds delays no check that counts in tenths of a second. */
const noticedMs = 30;

let late = 0;
let due: number | null = null;

function tick(): void {
  const now = clock();
  if (due !== null && now - due > noticedMs) late += now - due;
  due = now + tickMs;
  setTimeout(tick, tickMs).unref();
}

/** Milliseconds by which this process has been late so far; counted from the first call on. */
export function latenessMs(): number {
  if (due === null) tick();
  return late + Math.max(0, clock() - due! - noticedMs);
}
