// What a person may hand to a call. The kernel would answer nonsense with EINVAL, EFAULT or a crash; here it is a
// sentence, before any call is made.
import { shown } from "./address.ts";
import { EBADF } from "./errno.ts";
import { failed } from "./errors.ts";

/** What has a file descriptor: a Socket, an Epoll, or the number itself. */
export type HasDescriptor = number | { readonly fd: number };

/** As much as one recv may ask for: more than any receive buffer holds. */
export const mostBytes = 16 * 1024 * 1024;
const int32 = 2 ** 31 - 1;

/** An integer in [low, high]. */
export function integer(call: string, what: string, value: unknown, low: number, high: number): number {
  if (typeof value !== "number")
    throw new TypeError(`${call} takes ${what} that is a number, not ${shown(value)}.`);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`${call} takes ${what} from ${low} to ${high}, not ${value}.`);
  }
  return value;
}

/** A file descriptor that could be open. `from`: the public method, for the stack. */
export function descriptor(from: unknown, call: string, on: unknown): number {
  const fd = typeof on === "object" && on !== null ? (on as { fd?: unknown }).fd : on;
  if (typeof fd !== "number") {
    throw new TypeError(`${call} takes a Socket or the number of a file descriptor, not ${shown(on)}.`);
  }
  if (fd === -1 && fd !== on) throw closed(from, call, "is closed: it has no descriptor any more");
  return integer(call, "a file descriptor", fd, 0, int32);
}

/** Used after close(). */
export function closed(from: unknown, call: string, what: string) {
  return failed(from, call, call, EBADF, `The object that you use here ${what}.`);
}

/** Milliseconds as poll(2) and epoll_wait(2) take them: -1 for ever; a fraction is rounded up, lest a loop spin. */
export function timeout(call: string, ms: unknown): number {
  if (typeof ms !== "number" || Number.isNaN(ms)) {
    throw new TypeError(`${call} takes a time-out in milliseconds (-1: for ever), not ${shown(ms)}.`);
  }
  if (ms < 0 || ms === Infinity) return -1;
  return Math.min(Math.ceil(ms), int32);
}

/** A bit mask of EPOLL… or POLL… constants. */
export function eventMask(call: string, events: unknown, example: string): number {
  if (typeof events !== "number" || !Number.isInteger(events) || events < -(2 ** 31) || events >= 2 ** 32) {
    throw new TypeError(`${call} takes events such as ${example}, not ${shown(events)}.`);
  }
  return events >>> 0;
}

/** Bytes to give away: a string becomes UTF-8. */
export function bytesOf(call: string, value: unknown): Uint8Array {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  if (value instanceof Uint8Array) return value;
  throw new TypeError(
    `${call} takes bytes (a Buffer or Uint8Array) or a string, not ${shown(value)}.` +
      (typeof value === "number" ? " Did you mean String(…)?" : ""),
  );
}
