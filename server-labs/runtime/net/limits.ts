// Limits. getrlimit(2) and setrlimit(2) as functions.

import * as sys from "../sys/syscalls.ts";
import { integer } from "./arguments.ts";
import { failed } from "./errors.ts";

/** A resource limit of this process; Infinity means no limit. See getrlimit(2). */
export interface Limit {
  /** The limit in force. */
  soft: number;
  /** The value up to which the process may raise the soft limit. */
  hard: number;
}

const both = new BigUint64Array(2);
const unlimited = 2n ** 64n - 1n;

/**
 * Reads a limit of this process: getrlimit(2).
 * @param resource RLIMIT_NOFILE
 * @throws TypeError, RangeError for a wrong resource
 */
export function getLimit(resource: number): Limit {
  integer(getLimit, "a resource such as RLIMIT_NOFILE", resource, 0, 15);
  if (sys.getrlimit(resource, both) === -1) {
    throw failed(getLimit, "getrlimit", `getLimit(${resource})`, sys.errno);
  }
  const [soft, hard] = [...both].map(value => (value === unlimited ? Infinity : Number(value)));
  return { soft: soft!, hard: hard! };
}

/**
 * Sets a limit of this process: setrlimit(2).
 * @param resource RLIMIT_NOFILE
 * @param limit both limits; only root can raise a hard limit again
 * @throws SyscallError EPERM when the hard limit would rise, EINVAL when soft > hard
 */
export function setLimit(resource: number, limit: Limit): void {
  integer(setLimit, "a resource such as RLIMIT_NOFILE", resource, 0, 15);
  for (const [i, value] of [limit?.soft, limit?.hard].entries()) {
    if (value !== Infinity) integer(setLimit, "limits (soft and hard)", value, 0, Number.MAX_SAFE_INTEGER);
    both[i] = value === Infinity ? unlimited : BigInt(value);
  }
  if (sys.setrlimit(resource, both) === -1) {
    throw failed(setLimit, "setrlimit", `setLimit(${resource}, ${limit.soft}:${limit.hard})`, sys.errno);
  }
}
