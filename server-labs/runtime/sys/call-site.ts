// Call site. Finds the place in the program that makes a system call, from the stack; it takes a few microseconds.
import { pathToFileURL } from "node:url";
import { callSite } from "../../trace/layout.ts";

/** Stack frames to look at: enough to reach the student's code through the runtime's own frames. */
const depth = 16;

export interface CallSite {
  /** Which of the files. */
  file: number;
  /** From 1, like `column`. */
  line: number;
  column: number;
}

/** Makes a function that finds the innermost frame of one of these files on the stack; null when the stack has none. */
export function siteFinder(files: readonly string[]): () => CallSite | null {
  const places = new Map<string | null, number>();
  for (const [i, file] of files.entries()) places.set(file, i).set(pathToFileURL(file).href, i);
  const sites = (_: Error, frames: NodeJS.CallSite[]) => frames;
  return function site(): CallSite | null {
    const { prepareStackTrace, stackTraceLimit } = Error;
    const here: { stack?: NodeJS.CallSite[] } = {};
    try {
      Error.stackTraceLimit = depth;
      Error.prepareStackTrace = sites;
      Error.captureStackTrace(here, site);
      for (const frame of here.stack ?? []) {
        const file = places.get(frame.getScriptNameOrSourceURL());
        if (file !== undefined)
          return { file, line: frame.getLineNumber() ?? 0, column: frame.getColumnNumber() ?? 1 };
      }
      return null;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
  };
}

/** Makes a function that finds the innermost place in these files on the stack, as callSite() packs it; 0 when it has none. */
export function packedSiteFinder(files: readonly string[]): () => number {
  const find = siteFinder(files);
  return () => {
    const site = find();
    return site === null ? 0 : callSite(site.line, site.file);
  };
}
