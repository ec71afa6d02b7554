// The border between the program and the kernel, and the one place that every system call passes: enter() before it,
// leave() after it. What shall happen at every call (trace, later pause and step) hangs here and nowhere else.
import { layout, preview, traceBytes } from "../trace-layout.ts";
import { lineFinder } from "./call-site.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_NONBLOCK } from "./constants.ts";
import { EAGAIN, EALREADY, EINPROGRESS } from "./errno.ts";
import { lastErrno, mapShared, native } from "./libc.ts";
import { Trace } from "./trace.ts";

/** errno of the last call that returned -1. Read it before the next call. */
export let errno = 0;

const nothing = new Uint8Array(0);
let trace: Trace | null = null;

/**
 * From now on every call is written down in this memory (trace-layout.ts), and a newline on the socket `controlFd`
 * says that there is something to see.
 * @param file the program's source, as its stack traces name it: records tell which line of it made a call
 */
export function startTrace(memory: ArrayBuffer, controlFd: number, file: string): void {
  const wake = () => sayLook(controlFd);
  trace = new Trace(memory, wake, lineFinder(file));
  process.on("exit", () => {
    Atomics.store(new Int32Array(memory), layout.header.exiting, 1);
    wake();
  });
}

/** The memory behind `traceFd`. @throws Error when it is none */
export function mapTrace(traceFd: number): ArrayBuffer {
  return mapShared(traceFd, traceBytes);
}

const newline = new Uint8Array([0x0a]);

/** Tells whoever watches to look. */
export function sayLook(controlFd: number): void {
  // Past enter() and leave(): this is ours, not the program's. When the socket is full, a newline is already there.
  native.send(controlFd, newline, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
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

/** What was done must be seen now, not when the watcher is told next. */
export function tellWatcher(): void {
  if (trace !== null) trace.tell();
}

/** Are calls written down? For what is worth its trouble only then. */
export function watched(): boolean {
  return trace !== null;
}

/** May a call on this descriptor sleep? Only the trace asks: it shows such a call before it sleeps. */
export function sleeps(fd: number, flags = 0): boolean {
  return trace !== null && (flags & MSG_DONTWAIT) === 0 && trace.blocks(fd);
}

/** This descriptor is new, or has changed; its flags say whether it blocks. */
export function flagged(fd: number, flags: number): number {
  if (trace !== null && fd >= 0) trace.setBlocking(fd, (flags & SOCK_NONBLOCK) === 0);
  return fd;
}
