// Fewer descriptors for a process that already runs: so EMFILE comes when a check wants it, and a program that
// needs twenty to start is not hindered. prlimit(2) is no call of the runtime's: no lab limits somebody else.
import { RLIMIT_NOFILE } from "../runtime/constants.ts";
import { errnoName } from "../runtime/errno.ts";
import { lastErrno, native } from "../runtime/libc.ts";
import { Unobserved } from "./failure.ts";
import { descriptors } from "./proc.ts";

/**
 * Lets a process open `more` more descriptors and then no others.
 * A limit is one more than the highest number that may be given, and the lowest free number is given first.
 */
export function limitDescriptors(pid: number, more: number): void {
  const open = descriptors(pid);
  let limit = 0;
  for (let free = 0; free < more; limit++) if (!open.has(limit)) free++;
  while (open.has(limit)) limit++;
  const pair = new BigUint64Array([BigInt(limit), BigInt(limit)]);
  if (native.prlimit(pid, RLIMIT_NOFILE, pair, null) === -1) {
    const code = errnoName(lastErrno());
    if (code === "EPERM")
      throw new Unobserved(`This check takes descriptors away, and process ${pid} belongs to somebody else.`);
    throw new Error(`the descriptors of process ${pid} could not be limited to ${limit}: ${code}`);
  }
}
