// How fast a program goes through its system calls, and who says so. The program waits at a call's boundary, in the
// wrapper and not in the kernel: before the call nothing of it is done, after it all of it is. Its clients go on.
import * as v from "valibot";

/** Bounds of pace. Times in milliseconds. */
export const paceLimits = {
  /** The longest delay for each call in slow motion. */
  delayMs: 5_000,
  breakpoints: 32,
  /** Descriptors that one peek asks about. */
  peekedFds: 256,
} as const;

/** Where to stop. All that is given must be true of a call; a condition on errno is judged after it, else before. */
export const breakpoint = v.strictObject({
  /** "recv"; one of tracedCalls. */
  name: v.optional(v.pipe(v.string(), v.regex(/^[a-z_0-9]{1,32}$/, "a call's name, like recv"))),
  /** "EAGAIN" */
  errno: v.optional(v.pipe(v.string(), v.regex(/^E[A-Z0-9]{1,31}$/, "an error's name, like EAGAIN"))),
  fd: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type Breakpoint = v.InferOutput<typeof breakpoint>;

/** Take the wheel from whoever drives: without it only the driver's wishes are heard (409). */
const take = v.optional(v.boolean());
const delayMs = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(paceLimits.delayMs));

/**
 * Body of POST /api/runs/<run>/pace; what is left out stays as it was.
 * "full": as fast as it can · "slow": waits `delayMs` before each call · "paused": stops at the next boundary.
 */
export const paceBody = v.strictObject({
  mode: v.optional(v.picklist(["full", "slow", "paused"])),
  delayMs: v.optional(delayMs),
  breakpoints: v.optional(v.pipe(v.array(breakpoint), v.maxLength(paceLimits.breakpoints))),
  take,
});
export type PaceBody = v.InferOutput<typeof paceBody>;

/**
 * Body of POST /api/runs/<run>/step: goes on to the next boundary (before or after a call), or with "call" to before the
 * next call. A program that is not paused is paused by it.
 */
export const stepBody = v.strictObject({ to: v.optional(v.picklist(["boundary", "call"])), take });
export type StepBody = v.InferOutput<typeof stepBody>;

/** Where a program waits. */
export interface Stop {
  where: "before" | "after";
  /** The call's number, as its syscall event has it. */
  n: number;
  because: "asked" | "step" | "breakpoint";
  /** Which of the breakpoints, from 0, if it was one. */
  breakpoint?: number;
}

/** How the program goes now: the `pace` event. */
export interface Pace {
  mode: "full" | "slow" | "paused";
  delayMs: number;
  breakpoints: Breakpoint[];
  /** "stopping": it is to stop, and has not come to a boundary yet; it is asleep in a call, or makes none. */
  state: "going" | "stopping" | "stopped";
  stop: Stop | null;
  /**
   * Who drives: "page 3" (as its hello calls it), "a shell", or nobody (then whoever asks first does). Only the
   * driver's wishes are heard.
   */
  driver: string | null;
  /** In words: "paused before recv(7, 1024)". */
  sentence: string;
}

// --------------------------------------------------------------- between the lab server and the program's wrapper
// One JSON object a line on the control socket, both ways; an empty line from the program means "look at the trace".
// When the lab server has written a command it raises the header's `command` word by one: a program that sees another
// number than before looks at its socket at that boundary. A program that waits sleeps in poll(2) on that socket.

/** What the lab server tells the wrapper. */
export type WrapperCommand =
  /** `paused` null: as it is. `delayMs` 0 is full speed. Names and errnos are numbers by now. */
  | {
      type: "pace";
      paused: boolean | null;
      delayMs: number;
      breakpoints: { call: number | null; errno: number | null; fd: number | null }[];
    }
  | { type: "step"; to: "boundary" | "call" }
  /** Answered at a boundary: poll(2) with no time-out of these descriptors, of which some may be epoll instances. */
  | { type: "peek"; id: number; fds: number[] };

/** What the wrapper says. It is a claim of the program: bounded, checked, and never believed further than shown. */
export const wrapperSays = v.variant("type", [
  v.strictObject({
    type: v.literal("stopped"),
    where: v.picklist(["before", "after"]),
    n: v.pipe(v.number(), v.integer(), v.minValue(0)),
    because: v.picklist(["asked", "step", "breakpoint"]),
    breakpoint: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
  v.strictObject({ type: v.literal("going") }),
  /** [fd, revents] of each that was asked: revents as poll(2) gives it, 0 for nothing. */
  v.strictObject({
    type: v.literal("peeked"),
    id: v.pipe(v.number(), v.integer()),
    fds: v.pipe(v.array(v.tuple([v.number(), v.number()])), v.maxLength(paceLimits.peekedFds)),
  }),
]);
export type WrapperSays = v.InferOutput<typeof wrapperSays>;
