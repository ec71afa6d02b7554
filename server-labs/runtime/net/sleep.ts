// Sleep. nanosleep(2) as a function: it blocks the whole program, as time.sleep does in Python.

import { EINTR } from "../sys/errno.ts";
import * as sys from "../sys/syscalls.ts";
import { misuse, shown } from "./arguments.ts";
import { failed } from "./errors.ts";

const remaining = new BigInt64Array(2);

/**
 * Sleeps: nanosleep(2). The call blocks, so the program does nothing else meanwhile.
 *
 * EINTR (a signal interrupted the call) is not reported: it sleeps again for the time that is left.
 * @param ms milliseconds, 0 or more; fractions count
 * @throws TypeError for anything else
 */
export function sleep(ms: number): void {
  if (typeof ms !== "number" || !(ms >= 0) || ms === Infinity) {
    throw misuse(sleep, `takes milliseconds, 0 or more, not ${shown(ms)}.`);
  }
  let seconds = Math.floor(ms / 1000);
  let nanoseconds = Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6));
  while (sys.nanosleep(seconds, nanoseconds, remaining) === -1) {
    if (sys.errno !== EINTR) throw failed(sleep, "nanosleep", `sleep(${ms})`, sys.errno);
    seconds = Number(remaining[0]);
    nanoseconds = Number(remaining[1]);
  }
}
