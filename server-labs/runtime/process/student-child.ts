// Student's child process. fork() of a program runs a module of the student's folder as the program itself does:
// TypeScript too, from the texts that the run started with. Node's own fork() knows no TypeScript.
import childProcess, { type ForkOptions } from "node:child_process";
import { readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { fileURLToPath } from "node:url";
import { kindOf } from "../../modules/resolve.ts";
import { pathOf } from "./student-worker.ts";

/** Where the texts of a run are. */
export interface TextFiles {
  /** Absolute path of the JavaScript of the program's own file. */
  file: string;
  /** Absolute path of the student's own file: process.argv[1], import.meta.url, and the name in stack traces. */
  name: string;
  /** Absolute path of a JSON file: the path of each further module of the student's, with its JavaScript. */
  modules?: string | undefined;
}

/** The environment variable that leads a child to the texts; the child removes it. */
export const childVariable = "WORKBOOK_TEXTS";

/** Absolute path → JavaScript. @throws Error when a file cannot be read */
export function readTexts({ file, name, modules }: TextFiles): Map<string, string> {
  const further = modules === undefined ? {} : JSON.parse(readFileSync(modules, "utf8"));
  return new Map([...Object.entries<string>(further), [name, readFileSync(file, "utf8")]]);
}

/** From now on `fork(file)` runs TypeScript, too. */
export function forkFrom(files: TextFiles): void {
  const main = fileURLToPath(new URL("./child-main.js", import.meta.url));
  const { fork } = childProcess;
  // Without them the loader cannot work; a program may name flags of its own.
  const own = process.execArgv.filter(flag => flag.startsWith("--experimental-"));
  childProcess.fork = ((
    module: string | URL,
    ...rest: [(readonly string[] | ForkOptions)?, ForkOptions?]
  ) => {
    const path = pathOf(module);
    if (path === null || kindOf(path) === "native") return fork(module, ...(rest as [string[], ForkOptions]));
    const [first, second] = rest;
    const args = Array.isArray(first) ? first : [];
    const options = (Array.isArray(first) ? second : (first ?? second)) as ForkOptions | undefined;
    const env = { ...(options?.env ?? process.env), [childVariable]: JSON.stringify(files) };
    const given = options?.execArgv ?? process.execArgv;
    const execArgv = [...own.filter(flag => !given.includes(flag)), ...given];
    return fork(main, [path, ...args], { ...options, env, execArgv });
  }) as typeof fork;
  syncBuiltinESMExports();
}
