// Arguments. Checks what a program passes to workbook/net before any system call is made. The kernel would answer a wrong
// value with EINVAL, EFAULT or a crash; here it becomes a sentence, and its stack begins at the student's line.
import { EBADF } from "../sys/errno.ts";
import { failed } from "./errors.ts";

/** A Socket, an Epoll, or the number of an open file descriptor. */
export type HasDescriptor = number | { readonly fd: number };

/** The public function or class that the student called: the sentence begins with its name, the stack with its caller. */
// biome-ignore lint/complexity/noBannedTypes: any function; only its name is read
export type Called = Function;

/** The largest size of one recv, in bytes: more than any receive buffer holds. */
export const mostBytes = 16 * 1024 * 1024;
const int32 = 2 ** 31 - 1;

/** Makes the error for a value of the wrong type (TypeError) or out of range (RangeError). */
export function misuse(called: Called, sentence: string, Kind = TypeError): Error {
  const error = new Kind(`${nameOf(called)} ${sentence}`);
  Error.captureStackTrace(error, called);
  return error;
}

/** Checks that the value is an integer from `low` to `high`. @throws TypeError, RangeError */
export function integer(called: Called, what: string, value: unknown, low: number, high: number): number {
  if (typeof value !== "number") throw misuse(called, `takes ${what} that is a number, not ${shown(value)}.`);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw misuse(called, `takes ${what} from ${low} to ${high}, not ${value}.`, RangeError);
  }
  return value;
}

/** The number of the file descriptor. @throws TypeError, RangeError; SyscallError EBADF for a closed Socket or Epoll */
export function descriptor(called: Called, on: unknown): number {
  const fd = typeof on === "object" && on !== null ? (on as { fd?: unknown }).fd : on;
  if (typeof fd !== "number") {
    throw misuse(called, `takes a Socket or the number of a file descriptor, not ${shown(on)}.`);
  }
  if (fd === -1 && fd !== on) {
    const call = `${called.name} of ${shown(on)}`;
    throw failed(called, called.name, call, EBADF, "It was closed, and has no descriptor any more.");
  }
  return integer(called, "a file descriptor", fd, 0, int32);
}

/** Milliseconds for poll(2) and epoll_wait(2): -1 for ever. A fraction is rounded up: rounded down, a loop would spin. */
export function checkedTimeout(called: Called, ms: unknown): number {
  if (typeof ms !== "number" || Number.isNaN(ms)) {
    throw misuse(called, `takes a timeout in milliseconds (-1: for ever), not ${shown(ms)}.`);
  }
  if (ms === -1 || ms === Infinity) return -1;
  // The kernel would wait for ever: a server that computes the time until a deadline would sometimes not come back.
  if (ms < 0) {
    throw misuse(
      called,
      `takes a timeout of 0 or more milliseconds, or -1 for ever, not ${ms}. When a deadline has passed, the wait is 0: Math.max(0, deadline - now).`,
    );
  }
  return Math.min(Math.ceil(ms), int32);
}

/** Checks a bit mask of EPOLL… or POLL… constants. A mask with EPOLLET is negative, because | yields a signed number. */
export function eventMask(called: Called, events: unknown, example: string): number {
  if (typeof events !== "number" || !Number.isInteger(events) || events < -(2 ** 31) || events >= 2 ** 32) {
    throw misuse(called, `takes events such as ${example}, not ${shown(events)}.`);
  }
  return events >>> 0;
}

/** Checks flags such as MSG_PEEK or SOCK_NONBLOCK. */
export function checkFlags(called: Called, example: string, flags: unknown): void {
  if (flags !== 0) integer(called, `flags such as ${example}`, flags, 0, int32);
}

/** The bytes to send; a string becomes UTF-8. @throws TypeError */
export function dataBytes(called: Called, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return Buffer.from(value, "utf8");
  throw misuse(
    called,
    `takes bytes (a Buffer or Uint8Array) or a string, not ${shown(value)}.` +
      (typeof value === "number" ? " Did you mean String(…)?" : ""),
  );
}

/** A value as an error's sentence shows it: short, and recognizable by its type. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null)
    return `an object (${value.constructor?.name ?? "Object"})`;
  if (typeof value === "bigint") return `${value}n`;
  return String(value);
}

function nameOf({ name }: Called): string {
  return /^[A-Z]/.test(name) ? `new ${name}` : name;
}
