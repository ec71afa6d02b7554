// Turns. A look reads /proc synchronously, which costs a half of what the thread pool does and waits for no other thread,
// and lets other work go on between its pieces. What that work costs is not the look's.
import { setImmediate as nextTurn } from "node:timers/promises";

/** Milliseconds that this process has spent on processors. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let others = 0;

/** Milliseconds on processors that other work has had in the turns that looks gave it. */
export const othersMs = (): number => others;

/** Lets other work go on. */
export function giveTurn(): Promise<void> {
  return besides(nextTurn());
}

/** Waits for what this process does not work on. */
export async function besides<T>(waiting: Promise<T>): Promise<T> {
  const before = processorMs();
  try {
    return await waiting;
  } finally {
    others += processorMs() - before;
  }
}
