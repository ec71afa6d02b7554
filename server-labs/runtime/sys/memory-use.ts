// Memory use. What the program's JavaScript keeps when its garbage has been collected, and how deep its call stack is.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collectGarbage: (() => void) | null = null;

/** Collects all garbage first, which takes some milliseconds. @returns bytes of the heap and of Buffers, frames of the stack */
export function memoryUse(): { bytes: number; frames: number } {
  collectGarbage ??= exposedCollector();
  // A Buffer's memory may be given back one collection later than its object.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return { bytes: heapUsed + external, frames: frames() };
}

/** V8 gives gc() to contexts that are made while this flag is set: the program itself has no gc(). */
function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collector = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  return collector;
}

function frames(): number {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  Error.prepareStackTrace = (_, sites) => sites.length;
  const number: unknown = new Error("only its stack counts").stack;
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  return Number(number);
}
