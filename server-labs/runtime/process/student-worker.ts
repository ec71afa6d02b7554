// Student's worker. A worker thread of a program runs a module of the student's folder as the program itself does:
// TypeScript too, from the texts that the run started with. Node's own Worker knows no TypeScript.
import { syncBuiltinESMExports } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import workerThreads, { setEnvironmentData, Worker, type WorkerOptions } from "node:worker_threads";
import { kindOf } from "../../modules/resolve.ts";

/** Where a new worker finds its file and the texts: what is set here is copied when the worker is made. */
export const workerDataKey = "workbook.worker";

/** What a new worker receives. */
export interface WorkerModule {
  /** Absolute path of the module that it runs. */
  path: string;
  texts: Map<string, string>;
}

/** From now on `new Worker(file)` runs TypeScript, too. */
export function runWorkersFrom(texts: Map<string, string>): void {
  class StudentWorker extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const path = options.eval ? null : pathOf(file);
      if (path === null || kindOf(path) === "native") super(file, options);
      else {
        setEnvironmentData(workerDataKey, { path, texts } satisfies WorkerModule as never);
        super(new URL("./worker-main.js", import.meta.url), options);
      }
    }
  }
  workerThreads.Worker = StudentWorker;
  syncBuiltinESMExports();
}

/** How this workbook loads modules is no news for a student. */
export function hideLoaderWarning(): void {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!String(warning).startsWith("VM Modules is an experimental feature"))
      emitWarning.call(process, warning, ...rest);
  }) as typeof emitWarning;
}

/** The absolute path of a module that is named by a path or an address; null for an address of another kind. */
export function pathOf(file: string | URL): string | null {
  if (typeof file === "string") return resolve(file);
  return file.protocol === "file:" ? fileURLToPath(file) : null;
}
