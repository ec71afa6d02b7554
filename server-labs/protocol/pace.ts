// Pace. How fast a program goes through its system calls, where it waits, and who drives it.
// The program waits at a call's boundary, in the wrapper and not in the kernel: before the call nothing of it is done,
// after it all of it is. Its clients go on.
import * as v from "valibot";
import type { CallText, en, InsteadStatement, PausedStatement } from "./sentences/pace.ts";
import type { StatementOf } from "./sentences/statement.ts";

/** Bounds of pace. Times in milliseconds. */
export const paceLimits = {
  /** The longest delay for each call in slow motion. */
  delayMs: 5_000,
  breakpoints: 32,
  /** Descriptors that one peek asks about. */
  peekedFds: 256,
} as const;

/** Where to stop. A call must meet every condition that is given; errno is judged after the call, the others before. */
export const breakpoint = v.strictObject({
  /** "recv"; one of tracedCalls. */
  name: v.optional(v.pipe(v.string(), v.regex(/^[a-z_0-9]{1,32}$/, "a call's name, like recv"))),
  /** "EAGAIN" */
  errno: v.optional(v.pipe(v.string(), v.regex(/^E[A-Z0-9]{1,31}$/, "an error's name, like EAGAIN"))),
  fd: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type Breakpoint = v.InferOutput<typeof breakpoint>;

/** Drive the run although another page or shell drives it: without it the lab server answers 409. */
const take = v.optional(v.boolean());
const delayMs = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(paceLimits.delayMs));

/**
 * Body of POST /api/runs/<run>/pace; a field that is left out stays as it was.
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
 * Body of POST /api/runs/<run>/step: the program goes on to the next boundary (before or after a call), or with "call"
 * to before the next call, or with "task" to before the first call of the next step of the task with this number. When that
 * task ends before, the program stops at the call that comes then. A program that is not paused is paused by it.
 */
export const stepBody = v.pipe(
  v.strictObject({
    to: v.optional(v.picklist(["boundary", "call", "task"])),
    task: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1))),
    take,
  }),
  v.check(({ to, task }) => (to === "task") === (task !== undefined), 'to "task" and a task\'s number'),
);
export type StepBody = v.InferOutput<typeof stepBody>;

/** Where a program waits. */
export interface Stop {
  where: "before" | "after";
  /** The call's number, as its syscall event has it. */
  n: number;
  /** The call as it was when the program came there; null when the lab server no longer knows it. */
  call: CallText | null;
  because: "asked" | "step" | "breakpoint";
  /** Which of the breakpoints, from 0, if it was one. */
  breakpoint?: number;
}

/** The driver of every request that comes over HTTP; a page drives as its hello calls it. */
export const shellDriver = "a shell";

/** How the program goes now: the `pace` event. */
export interface Pace {
  mode: "full" | "slow" | "paused";
  delayMs: number;
  breakpoints: Breakpoint[];
  /**
   * "stopping": it is to stop, and has not come to a boundary yet; it is asleep in a call, or makes no call ·
   * "ended": it ended while it was stopped, or before it came to its stop. One that ended while it went on is "going".
   */
  state: "going" | "stopping" | "stopped" | "ended";
  /** Where it waits, or of one that has ended, where it waited then. */
  stop: Stop | null;
  /** What it does while it is "stopping"; else null. */
  instead: InsteadStatement | null;
  /** "page 3" (as its hello calls it), "a shell", or null. Only the driver changes the pace; the first that asks drives. */
  driver: string | null;
}

type PaceStatement = StatementOf<typeof en>;

/** The pace as a statement: where the program waits, what it does instead, or how fast it goes. */
export function paceStatement({ mode, delayMs, breakpoints, state, stop, instead }: Pace): PaceStatement {
  if (state === "ended")
    return stop
      ? { ...waits(stop, breakpoints), code: "ended-while-paused" }
      : { code: "ended-before-it-paused" };
  if (state === "stopped" && stop) return pausedStatement(stop, breakpoints);
  if (state === "stopping") return instead ?? { code: "will-pause" };
  return mode === "slow"
    ? { code: "in-slow-motion", delayMs, breakpoints }
    : { code: "at-full-speed", breakpoints };
}

/** Where a stopped program waits. @param breakpoints those of its pace */
export function pausedStatement(stop: Stop, breakpoints: readonly Breakpoint[]): PausedStatement {
  return { ...waits(stop, breakpoints), code: "paused" };
}

function waits({ where, n, call, breakpoint }: Stop, breakpoints: readonly Breakpoint[]) {
  return { where, n, call, breakpoint: breakpoint === undefined ? null : (breakpoints[breakpoint] ?? null) };
}

// --------------------------------------------------------------- between the lab server and the program's wrapper
// One JSON object a line on the control socket, both ways; an empty line from the program means "look at the trace".
// When the lab server has written a command it raises the header's `command` word by one: a program that sees another
// number than before looks at its socket at that boundary. A program that waits sleeps in poll(2) on that socket.

/** What the lab server sends to the wrapper. */
export type WrapperCommand =
  /** `paused` null: as it is. `delayMs` 0 is full speed. Names and errnos are numbers by now. */
  | {
      type: "pace";
      paused: boolean | null;
      delayMs: number;
      breakpoints: { call: number | null; errno: number | null; fd: number | null }[];
    }
  | { type: "step"; to: "boundary" | "call" | "task"; task?: number }
  /** Answered at a boundary: poll(2) with no time-out of these descriptors, of which some may be epoll instances. */
  | { type: "peek"; id: number; fds: number[] };

/** What the wrapper sends. It is a claim of the program: bounded and checked, and it decides nothing but what is shown. */
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
