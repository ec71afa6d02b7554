// Where the unexpected is written down: a file with the stack for those who mend it, one sentence on the terminal
// for those who use it.
import { appendFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

/** A log that has grown beyond this is begun anew at the next start. */
const largest = 1024 * 1024;

export class ProblemLog {
  readonly file: string;
  readonly #say: (sentence: string) => void;

  /** @param say tells a person at the terminal */
  constructor(stateFolder: string, say: (sentence: string) => void) {
    this.file = join(stateFolder, "problems.log");
    this.#say = say;
    const size = statSync(this.file, { throwIfNoEntry: false })?.size ?? 0;
    if (size > largest) truncateSync(this.file);
  }

  /** Writes an error down with its stack, and says on the terminal that there was one. Never throws. */
  write(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      appendFileSync(this.file, `${new Date().toISOString()} ${stack}\n`, { mode: 0o600 });
    } catch {
      // A full disk: the sentence on the terminal is what is left.
    }
    const message = error instanceof Error ? error.message : String(error);
    this.#say(
      `Something went wrong in the lab server, which goes on: ${message.split("\n")[0]} (more in ${this.file})`,
    );
  }
}
