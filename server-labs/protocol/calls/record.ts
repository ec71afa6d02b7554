// Call record. One traced system call with typed values, as every event, pane, check and notation has it.
import { callRows, type DescriptorKind, type TracedCall, timeoutArgument } from "./table.ts";

/** One descriptor, as the calls so far have shown it. `peer`: "127.0.0.1:51322", of a connection where it is known. */
export interface KnownDescriptor {
  is: DescriptorKind;
  peer?: string;
}

/**
 * One argument. A descriptor, an int, a size, flags and names are the raw number; null: not known, not given, or a
 * pointer that says nothing. Data is the first of its bytes, one character of U+0000 to U+00FF for each byte (which
 * JSON keeps without loss), and `length`, the bytes that the call is about.
 */
export type Value =
  | number
  | null
  | { bytes: string; length: number }
  | { host: string; port: number }
  /** An address of a family that has no host and port. */
  | { family: number }
  /** struct epoll_event: descriptor and events. `more`: there were others. */
  | { events: [fd: number, events: number][]; more: boolean }
  /** struct pollfd: descriptor, events asked for, events that came. */
  | { polls: [fd: number, asked: number, came: number][]; more: boolean }
  /** Two descriptors that the call has made. */
  | { pair: [number, number] }
  /** A struct that is not shown, of so many bytes. */
  | { struct: number }
  /** struct timeval. */
  | { seconds: number; microseconds: number }
  /** struct linger. */
  | { on: number; lingerSeconds: number }
  /** struct rlimit. */
  | { soft: number; hard: number };

/** A task, by its number and its name. */
export interface CallTask {
  id: number;
  name: string;
}

/** One traced system call. Times are milliseconds since the run began. */
export interface CallRecord {
  /** Counts the calls of a run from 0; a call that may sleep comes twice with one n: entered, then done. */
  n: number;
  at: number;
  /** Microseconds inside the kernel; 0 where that was not measured, null while the program is still in there. */
  took: number | null;
  /** Its name; "?" when the record holds no known call. */
  call: TracedCall;
  /** The descriptor that it was called on; null where its first parameter is no descriptor. */
  fd: number | null;
  /** In C order, one for each parameter of its row in the table. */
  args: Value[];
  /** 0 while the program is inside. */
  returned: number;
  /** "EAGAIN"; null when it did not fail. */
  errno: string | null;
  /** The other end of the connection that it is about (epoll_ctl: of its target), where the calls have shown it. */
  peer: string | null;
  /** ready: it got something done · waiting: would block, in progress, or asleep · failed: an error. */
  state: CallState;
  /** Line of the student's file that made it, where known. */
  line: number | null;
  /** That file, "lib/clients.ts"; left out where it is the one that starts. */
  file?: string;
  /**
   * Kind and peer of the descriptors that the call is about, where earlier calls have shown them. The same number with
   * another peer is another connection.
   */
  who?: Record<number, KnownDescriptor>;
  /** The task that made it, where the program has tasks; left out for a call that its hub made. */
  task?: CallTask;
  /** It differs from what the program repeats, as far as the trace has kept that. */
  matters?: true;
}
export type CallState = "ready" | "waiting" | "failed";

const wouldBlock = new Set(["EAGAIN", "EINPROGRESS", "EALREADY"]);

/** Does this error only say "not yet"? */
export function isWouldBlock(errno: string): boolean {
  return wouldBlock.has(errno);
}

/** Where there is no room for all calls, those of a lower priority go first. */
export const callPriority = {
  /** It repeats what the program did before. */
  repeats: 0,
  differs: 1,
  /** It opened or closed a descriptor, failed as no call before it, or found the end of a stream. */
  essential: 2,
} as const;

/** @returns one of callPriority */
export function priorityOf({ call, took, errno, returned, state, matters }: CallRecord): number {
  const { opens, opensTwo, closes, moves } = callRows[call];
  const { repeats, differs, essential } = callPriority;
  const isDone = took !== null && errno === null;
  if (isDone && (opens || opensTwo || closes)) return essential;
  if (!matters) return repeats;
  return state === "failed" || (isDone && moves === "in" && returned === 0) ? essential : differs;
}

/** The port of an endpoint. */
export function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

/**
 * How long a call sleeps at most, in milliseconds: Infinity for one that waits until something is ready, 0 for one that
 * only looks; null for a call that has no timeout.
 */
export function timeoutMs({ call, args }: Pick<CallRecord, "call" | "args">): number | null {
  if (callRows[call].sleeps === "always") return Number(args[0]) * 1000;
  const index = timeoutArgument(call);
  if (index === undefined) return null;
  const timeout = Number(args[index]);
  return timeout < 0 ? Number.POSITIVE_INFINITY : timeout;
}
