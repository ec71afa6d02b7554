// Native call. The one place that every system call of the program passes: enter() before it, leave() after it. Only
// here the trace, the pause and the step are attached to a call.
import type { JsonLine, JsonLines } from "../../lib/json-lines.ts";
import { layout, preview, traceBytes } from "../../trace/layout.ts";
import { blocks, setBlocking } from "./blocking.ts";
import { packedSiteFinder } from "./call-site.ts";
import { MSG_DONTWAIT, SOCK_NONBLOCK } from "./constants.ts";
import { Control } from "./control.ts";
import { EAGAIN, EALREADY, EINPROGRESS } from "./errno.ts";
import { lastErrno, mapShared } from "./libc.ts";
import type { Driver } from "./pace.ts";
import type { TaskTrace } from "./task-trace.ts";
import { Trace } from "./trace.ts";

/** errno of the last call that returned -1. Read it before the next call. */
export let errno = 0;

const nothing = new Uint8Array(0);
let trace: Trace | null = null;
/** Where a hub writes what its tasks do; null: no reader looks. */
export let taskTrace: TaskTrace | null = null;
let control: Control | null = null;
let controlFd = -1;

/**
 * Prepares to write every call into this memory (trace/layout.ts), and to wake the reader by a newline on the socket
 * `fd`. The driver at the other end of the socket decides how fast the program goes.
 * @param lines the reader of the socket
 * @returns starts it. `files` are the program's sources, as its stack traces name them, the one that starts first: records
 *   say which line of which made a call; `received` are the lines that have come on the socket already
 */
export function prepareTrace(
  memory: ArrayBuffer,
  fd: number,
  lines: JsonLines,
): (files: readonly string[], received: readonly JsonLine[]) => void {
  const socket = new Control(fd, lines);
  const wake = () => socket.wake();
  let site = () => 0;
  const prepared = new Trace(memory, wake, () => site(), socket);
  return (files, received) => {
    site = packedSiteFinder(files);
    control = socket;
    controlFd = fd;
    socket.queueCommands(received);
    begin(prepared);
    process.on("exit", () => {
      Atomics.store(new Int32Array(memory), layout.header.exiting, 1);
      wake();
    });
  };
}

/** From now on every call is written down in this memory, at the pace that the driver sets. */
export function watch(memory: ArrayBuffer, wake: () => void, site: () => number, driver: Driver): void {
  begin(new Trace(memory, wake, site, driver));
}

function begin(prepared: Trace): void {
  trace = prepared;
  taskTrace = prepared.tasks;
  trace.applyCommands();
}

/** The memory behind `traceFd`. @throws Error when mmap(2) fails */
export function mapTrace(traceFd: number): ArrayBuffer {
  return mapShared(traceFd, traceBytes);
}

/**
 * Before a call.
 * @param maySleep it may be long until it returns
 * @param a its arguments as numbers, the descriptor first; 0 for a pointer
 * @param kind what `bytes` are, and how many of them there are: what the program hands to the kernel
 */
export function enter(
  call: number,
  maySleep: boolean,
  a: number,
  b = 0,
  c = 0,
  d = 0,
  kind: number = preview.none,
  bytes: Uint8Array = nothing,
  length = 0,
): void {
  if (trace !== null) trace.enter(call, maySleep, a, b, c, d, kind, bytes, length);
}

/**
 * After a call, at once.
 * @param kind what `bytes` are, and how many of them there are: what the kernel handed back
 * @returns the result
 */
export function leave(
  result: number,
  kind: number = preview.none,
  bytes: Uint8Array = nothing,
  length = 0,
): number {
  // First of all: errno is the thread's, and whatever JavaScript does next may change it.
  const failed = result === -1 ? lastErrno() : 0;
  if (failed !== 0) errno = failed;
  if (trace !== null) {
    const wrong = failed !== 0 && failed !== EAGAIN && failed !== EINPROGRESS && failed !== EALREADY;
    trace.leave(result, failed, wrong, kind, bytes, length);
  }
  return result;
}

/** What was done must be seen now, not when the reader is woken next. */
export function notifyReader(): void {
  if (trace !== null) trace.notify();
}

/** Are calls written down? Some work is only worth its time then. */
export function watched(): boolean {
  return trace !== null;
}

/** May a call on this descriptor sleep? Only the trace asks: it shows such a call before it sleeps. */
export function sleeps(fd: number, flags = 0): boolean {
  return trace !== null && (flags & MSG_DONTWAIT) === 0 && blocks(fd);
}

/** This descriptor is new, or has changed; its flags say whether it blocks. */
export function flagged(fd: number, flags: number): number {
  if (trace !== null && fd >= 0) setBlocking(fd, (flags & SOCK_NONBLOCK) === 0);
  return fd;
}

/** This descriptor is closed now, or has just been made: what was known of its number no longer holds. */
export function anew(fd: number, flags: number): number {
  // Its number belongs to another file from now on, and must get no newline of the runtime.
  if (fd === controlFd) control?.disconnect();
  return flagged(fd, flags);
}
