// Breakpoints. The names of a call and an errno as the numbers that the program's wrapper compares, and in words.
import { Refusal } from "../lib/refusal.ts";
import {
  type Breakpoint,
  callIndex,
  errnoNumbers,
  isTracedCall,
  suggestion,
  tracedCalls,
  type WrapperCommand,
} from "../protocol.ts";

export type Condition = Extract<WrapperCommand, { type: "pace" }>["breakpoints"][number];

const calls = tracedCalls.slice(1);

/** The breakpoint as the wrapper gets it. @throws Refusal for a name that no traced call, or no errno of Linux, has */
export function conditionOf({ name, errno, fd }: Breakpoint): Condition {
  if (name !== undefined && !isTracedCall(name))
    throw new Refusal({
      code: "call-not-traced",
      name,
      suggestion: suggestion(name, calls, "calls that are traced"),
    });
  if (errno !== undefined && !Object.hasOwn(errnoNumbers, errno))
    throw new Refusal({
      code: "errno-unknown",
      errno,
      suggestion: suggestion(errno, Object.keys(errnoNumbers), "errors"),
    });
  return {
    call: name === undefined ? null : callIndex(name),
    errno: errno === undefined ? null : errnoNumbers[errno]!,
    fd: fd ?? null,
  };
}
