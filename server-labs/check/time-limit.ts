// Time limit. Ends a check that waits for ever, and the whole checker when a check's own code does not return.
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { packageRoot } from "../lib/package-root.ts";

/** The lab server ends a whole checker after a minute: a check that is to be named must end before. */
const inThePage = process.env.LAB_REPORT_FD !== undefined;

/** Milliseconds that a check may take, unless its options say more. The longest of the book takes some ten seconds. */
export const checkLimitMs = inThePage ? 45_000 : 120_000;

/** Seconds in which the checker's own code must return once. */
const loopLimit = inThePage ? 45 : 60;

/** A check did not end within its limit. */
export class Overdue extends Error {
  constructor(ms: number) {
    super(`This check did not end within ${ms / 1000} s.`);
    this.name = "Overdue";
  }
}

/** @throws Overdue when the work takes longer than this many milliseconds; the work itself goes on */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Overdue(ms)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * Ends this process and its programs when its main thread does not return to the event loop: no timer of the thread
 * itself can notice that.
 * @param seconds how long it may take
 */
export function watchForLoops(seconds = loopLimit): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => Atomics.add(beats, 0, 1), 250).unref();
  const file = join(packageRoot, "dist/server-labs/check/loop-watch.js");
  new Worker(file, { workerData: { beats, seconds, pid: process.pid }, execArgv: [] }).unref();
}
