// Heartbeat. A task that sleeps for 20 ms again and again, and tells how late it has been while other work was done.
import { type Steps, sleep, spawn } from "workbook/tasks";

const everyMs = 20;

/** Does this work beside a heartbeat, and prints the longest time by which a beat was late. */
export function* besideHeartbeat(name: string, work: () => Steps<void> | void): Steps<void> {
  let latest = 0;
  const heartbeat = spawn(beat(late => (latest = Math.max(latest, late))));
  yield* sleep(2 * everyMs);
  try {
    const steps = work();
    if (steps) yield* steps;
    yield* sleep(2 * everyMs);
  } finally {
    heartbeat.cancel();
    console.error(`${name}: all others waited for up to ${Math.round(latest)} ms`);
  }
}

function* beat(onBeat: (lateMs: number) => void): Steps<void> {
  while (true) {
    const due = performance.now() + everyMs;
    yield* sleep(everyMs);
    onBeat(performance.now() - due);
  }
}
