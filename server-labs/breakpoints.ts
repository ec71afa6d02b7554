// Breakpoints as people name them, and as the program's wrapper compares them: numbers.
import { constants } from "node:os";
import { Refusal } from "./answers.ts";
import { suggestion } from "./book/problem.ts";
import type { Breakpoint, WrapperCommand } from "./protocol.ts";
import { type TracedCall, tracedCalls } from "./trace-layout.ts";

export type Condition = Extract<WrapperCommand, { type: "pace" }>["breakpoints"][number];

const calls = tracedCalls.slice(1);
const errnos: Record<string, number | undefined> = constants.errno;

/** @throws Refusal 400 for a name that no traced call, or no errno of Linux, has */
export function conditionOf({ name, errno, fd }: Breakpoint): Condition {
  if (name !== undefined && !calls.includes(name as TracedCall))
    throw new Refusal(
      400,
      `No call that is traced has the name "${name}".${suggestion(name, calls, "calls that are traced")}`,
    );
  if (errno !== undefined && !Object.hasOwn(errnos, errno))
    throw new Refusal(
      400,
      `Linux has no error of the name "${errno}".${suggestion(errno, Object.keys(errnos), "errors")}`,
    );
  return {
    call: name === undefined ? null : tracedCalls.indexOf(name as TracedCall),
    errno: errno === undefined ? null : errnos[errno]!,
    fd: fd ?? null,
  };
}

/** "recv of fd 7 that fails with EAGAIN" */
export function breakpointSentence({ name, errno, fd }: Breakpoint): string {
  const about = fd === undefined ? "" : ` of fd ${fd}`;
  const failing = errno === undefined ? "" : ` that fails with ${errno}`;
  return `${name ?? "any call"}${about}${failing}`;
}
