// Descriptor limit. Lowers RLIMIT_NOFILE of a running process, prlimit(2): EMFILE comes when a check provokes it, and not
// while the program starts, which takes some twenty descriptors.
import { errnoName, lastErrno, native, RLIMIT_NOFILE } from "../runtime.ts";
import { Unobserved } from "./outcome.ts";
import { openDescriptors } from "./proc.ts";

export interface DescriptorLimitOptions {
  /** A later call may raise the limit: the hard limit stays, and so the program can raise it, too. */
  forNow?: boolean;
}

/**
 * Lets a process open `more` more descriptors, and then no others. RLIMIT_NOFILE is one more than the highest number of
 * a descriptor, and the kernel gives the lowest free number first.
 * @throws Unobserved when the process belongs to another user
 */
export function limitDescriptors(
  pid: number,
  more: number,
  { forNow = false }: DescriptorLimitOptions = {},
): void {
  const open = openDescriptors(pid);
  let limit = 0;
  for (let free = 0; free < more; limit++) if (!open.has(limit)) free++;
  while (open.has(limit)) limit++;
  const pair = new BigUint64Array(2);
  const isRead = native.prlimit(pid, RLIMIT_NOFILE, null, pair) === 0;
  pair[0] = BigInt(limit);
  if (!forNow) pair[1] = BigInt(limit);
  if (!isRead || native.prlimit(pid, RLIMIT_NOFILE, pair, null) === -1) {
    const code = errnoName(lastErrno());
    if (code === "EPERM")
      throw new Unobserved(
        `This check limits the descriptors of process ${pid}, and that process belongs to another user.`,
      );
    throw new Error(`prlimit(${pid}, RLIMIT_NOFILE, ${limit}) failed: ${code}`);
  }
}
