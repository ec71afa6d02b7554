// When idle. Finds the moment for work that may wait, such as loading a compiler: it must not delay a page that loads.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

const windowMs = 500;
/** Share of the time that the event loop is busy; while a page loads its editor it is ten times as much. */
const idleUtilization = 0.05;

/** Resolves when this process had next to nothing to do for half a second. It does not keep the process alive. */
export async function whenIdle(): Promise<void> {
  for (;;) {
    const before = performance.eventLoopUtilization();
    await sleep(windowMs, undefined, { ref: false });
    if (performance.eventLoopUtilization(before).utilization < idleUtilization) return;
  }
}
