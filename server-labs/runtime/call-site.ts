// Which line of the program makes this call? The stack knows, at the price of a few microseconds.
import { pathToFileURL } from "node:url";

/** Deep enough to reach the student's code through the helpers above a call. */
const depth = 16;

export interface Site {
  /** Both from 1. */
  line: number;
  column: number;
}

/** A function that finds the innermost place of `file` on the stack; null when it is not there. */
export function siteFinder(file: string): () => Site | null {
  const url = pathToFileURL(file).href;
  const sites = (_: Error, frames: NodeJS.CallSite[]) => frames;
  return function site(): Site | null {
    const { prepareStackTrace, stackTraceLimit } = Error;
    const here: { stack?: NodeJS.CallSite[] } = {};
    try {
      Error.stackTraceLimit = depth;
      Error.prepareStackTrace = sites;
      Error.captureStackTrace(here, site);
      const frame = here.stack?.find(frame => {
        const name = frame.getScriptNameOrSourceURL();
        return name === url || name === file;
      });
      return frame ? { line: frame.getLineNumber() ?? 0, column: frame.getColumnNumber() ?? 1 } : null;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
  };
}

/** A function that finds the innermost line of `file` on the stack; 0 when it is not there. */
export function lineFinder(file: string): () => number {
  const site = siteFinder(file);
  return () => site()?.line ?? 0;
}
