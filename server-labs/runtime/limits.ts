// How much this process may have of something.
import { integer } from "./arguments.ts";
import { failed } from "./errors.ts";
import * as sys from "./syscalls.ts";

/** A limit of this process. Infinity: none. */
export interface Limit {
  /** What is in force. */
  soft: number;
  /** How far a process may raise the soft one by itself. */
  hard: number;
}

const both = new BigUint64Array(2);
const unlimited = 2n ** 64n - 1n;

/** Asks for a limit of this process: getrlimit(2). @param resource RLIMIT_NOFILE */
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
 * @param limit a hard limit that was lowered can be raised again by root only
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
