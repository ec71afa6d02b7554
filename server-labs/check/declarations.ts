// Declarations. Collects the checks that a lab's checks.ts declares while it is imported.
import type { SiteFiles } from "./site-folder.ts";
import type { Tools } from "./tools.ts";

export interface CheckOptions {
  /** File descriptors that the server may hold at most, from its start; Node itself holds some twenty. */
  descriptors?: number;
  /**
   * The server may serve in child processes and threads: its children count as the server, and the sleep of its main
   * thread does not say that it is stuck. The calls of children and threads are not traced.
   */
  workers?: boolean;
  /** The check waits for many seconds and does little: it runs beside the other checks, outside their limit. */
  patient?: boolean;
  /** Milliseconds that it may take; 120,000 when left out. */
  limit?: number;
  /** The promise that this check judges, by its name in BrokenPromise: other checks that only meet it broken say so. */
  judges?: string;
  /** As in Why, for every failure of this check that says none. */
  labRule?: string;
  /** The files in the folder in which the server runs, for this check alone: `{ "html/index.html": "…" }`. */
  files?: SiteFiles;
}

export interface Check {
  id: string;
  title: string;
  options: CheckOptions;
  body: (tools: Tools) => Promise<void>;
}

const declared: Check[] = [];

/**
 * Declares a check. A lab's checks run in the order in which they are declared.
 * @param id stable: hints, mutants and prose name it
 * @param title what is true of a server that passes: "accepts a second client while the first says nothing"
 * @param options what the server gets: a limit of descriptors, files of its own
 * @param body tries a fresh server, and throws when the title is false of it
 * @throws Error when there is a check with this id already
 */
export function check(id: string, title: string, body: Check["body"]): void;
export function check(id: string, title: string, options: CheckOptions, body: Check["body"]): void;
export function check(
  id: string,
  title: string,
  ...rest: [Check["body"]] | [CheckOptions, Check["body"]]
): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  if (declared.some(other => other.id === id)) throw new Error(`There are two checks with the id "${id}".`);
  declared.push({ id, title, options, body });
}

/** Removes and returns the checks that were declared since the last call: a checks.ts was imported in between. */
export function takeDeclared(): Check[] {
  return declared.splice(0);
}
