// Work that can wait until nobody waits: what it delays must not be a page that is loading.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

const lookMs = 500;
/** Of the time; a page that loads its editor takes ten times as much. */
const quiet = 0.05;

/** Resolves when this process has had next to nothing to do for half a second. It keeps no process alive. */
export async function idle(): Promise<void> {
  for (;;) {
    const before = performance.eventLoopUtilization();
    await sleep(lookMs, undefined, { ref: false });
    if (performance.eventLoopUtilization(before).utilization < quiet) return;
  }
}
