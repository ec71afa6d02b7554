// Pace sentences. English: where a program waits and why, as the room pace/ reports it.
import type { StatementOf } from "./statement.ts";

/** A call in notation: what the program asked, and what the kernel answered, "" while the program is inside. */
export interface CallText {
  name: string;
  /** "recv(7, 1024)" */
  made: string;
  /** "-1 EAGAIN (would block)" */
  gave: string;
}

/** What of a call must be true for a breakpoint to stop there. */
export interface ConditionNames {
  name?: string | undefined;
  errno?: string | undefined;
  fd?: number | undefined;
}

/** Where a program waits. */
export interface Waits {
  where: "before" | "after";
  /** The call's number. */
  n: number;
  /** Null when the lab server no longer knows the call. */
  call: CallText | null;
  /** The breakpoint that stopped it, if one did. */
  breakpoint: ConditionNames | null;
}

/** "recv of fd 7 that fails with EAGAIN" */
function conditionInWords({ name, errno, fd }: ConditionNames): string {
  const about = fd === undefined ? "" : ` of fd ${fd}`;
  const failing = errno === undefined ? "" : ` that fails with ${errno}`;
  return `${name ?? "any call"}${about}${failing}`;
}

function untilBreakpoint(breakpoints: ConditionNames[]): string {
  const words = breakpoints.map(conditionInWords).join("; ");
  return words === "" ? "" : `, to a breakpoint: ${words}`;
}

function waits({ where, n, call, breakpoint }: Waits): string {
  const result = call && where === "after" ? ` = ${call.gave}` : "";
  const words = call ? call.made + result : `call ${n}`;
  return `paused ${where} ${words}${breakpoint ? `, at the breakpoint on ${conditionInWords(breakpoint)}` : ""}`;
}

/** What a program does that is to stop and has not stopped yet. */
const instead = {
  "will-pause": () => "will pause at its next call",
  "will-pause-at-task": ({ task }: { task: number }) =>
    `will pause at the next step of task ${task}; other tasks run until it is woken`,
  "will-pause-when-call-returns": ({ name, about }: { name: string; about: string | number }) =>
    `will pause when ${name}(${about}) returns: it is asleep there`,
  /** @param calls that it has made in all @param busy its main thread runs; else it sleeps */
  "makes-no-call": ({ calls, busy }: { calls: number; busy: boolean }) => {
    const since = calls === 0 ? "it has made no call yet" : "it has made no call since";
    const why = busy ? "it is busy with its own code" : "Node sleeps, in its own event loop";
    return `will pause at its next call; ${since}: ${why}`;
  },
  "cannot-be-paused": () =>
    "goes on and does not stop: it has closed the control socket on which the lab server asks it to",
};

export const en = {
  ...instead,
  "at-full-speed": ({ breakpoints }: { breakpoints: ConditionNames[] }) =>
    `runs at full speed${untilBreakpoint(breakpoints)}`,
  "in-slow-motion": ({ delayMs, breakpoints }: { delayMs: number; breakpoints: ConditionNames[] }) =>
    `goes in slow motion: waits ${delayMs} ms before each call${untilBreakpoint(breakpoints)}`,
  paused: waits,
  "ended-while-paused": (place: Waits) => `ended while ${waits(place)}`,
  "ended-before-it-paused": () => "ended before it came to a stop",
  "program-has-ended": () =>
    "This program has ended. Start it again, paused before its first call if you like.",
  "driven-by-another": ({ driver }: { driver: string }) =>
    `${driver} drives this run. Watch, or take over: "take": true over HTTP, Drive in the page.`,
  /** @param suggestion a sentence with the name that was probably meant, and a space before it; or "" */
  "call-not-traced": ({ name, suggestion }: { name: string; suggestion: string }) =>
    `No call that is traced has the name "${name}".${suggestion}`,
  "errno-unknown": ({ errno, suggestion }: { errno: string; suggestion: string }) =>
    `Linux has no error of the name "${errno}".${suggestion}`,
};

export type InsteadStatement = StatementOf<typeof instead>;
export type PausedStatement = StatementOf<Pick<typeof en, "paused">>;
