// Before a command. What a reader must press before the command of a failure shows it again, from the present state.
import type { RunView } from "../../../labs.ts";

/** A text, and those of the modules that it imports, by their ETags. */
export type Texts = Pick<RunView, "etag" | "modules">;

interface Now {
  /** The newest run of the lab's program. */
  program: Pick<RunView, "live" | "etag" | "modules"> | null;
  /** The port in the command. */
  port: number;
  /** The text that was checked; null: not known. */
  checked: Texts | null;
}

/**
 * A command that starts the server itself needs the port; another one needs the program on it, with the text that failed.
 * @param command one or more lines, with the port as the shell gets it
 * @returns a sentence; null: the command works as it is
 */
export function beforeCommand(command: string, { program, port, checked }: Now): string | null {
  if (!new RegExp(`\\b${port}\\b`).test(command)) return null;
  const live = program?.live ?? false;
  if (/\btsx\b/.test(command))
    return live
      ? `Press Stop first: the program has port ${port}, and this command starts another one.`
      : null;
  if (!live) return `Press Run first: this command needs your program on port ${port}.`;
  return checked && differ(checked, program!)
    ? "Press Run again first: the program does not run the text that was checked."
    : null;
}

function differ(checked: Texts, runs: Texts): boolean {
  if (checked.etag === null || runs.etag === null) return false;
  const files = Object.keys({ ...checked.modules, ...runs.modules });
  return checked.etag !== runs.etag || files.some(file => checked.modules[file] !== runs.modules[file]);
}
