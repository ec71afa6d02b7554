// A sleep that stops the whole program, as time.sleep does in Python.
import { misuse, shown } from "./arguments.ts";
import { EINTR } from "./errno.ts";
import { failed } from "./errors.ts";
import * as sys from "./syscalls.ts";

const remaining = new BigInt64Array(2);

/**
 * Sleeps: nanosleep(2). Nothing else happens meanwhile, in the whole process: that is what blocking means.
 * EINTR is not seen: it sleeps on for what is left.
 * @param ms milliseconds; fractions count
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
