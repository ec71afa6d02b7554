// Problem log. Unexpected errors: the stack goes to a file for the developer, one sentence to the terminal for the user.
import { appendFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { visible } from "../protocol.ts";

/** A log with more bytes than this is emptied at the next start. */
const largest = 1024 * 1024;

export class ProblemLog {
  readonly file: string;
  readonly #say: (sentence: string) => void;

  /** @param say prints a sentence on the terminal */
  constructor(stateFolder: string, say: (sentence: string) => void) {
    this.file = join(stateFolder, "problems.log");
    this.#say = say;
    const size = statSync(this.file, { throwIfNoEntry: false })?.size ?? 0;
    if (size > largest) truncateSync(this.file);
  }

  /** Appends the error with its stack, and prints a sentence about it on the terminal. Never throws. */
  write(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      // An error may quote what a program or a client wrote, and a person reads this file in a terminal.
      appendFileSync(this.file, `${new Date().toISOString()} ${visible(stack, "\n")}\n`, { mode: 0o600 });
    } catch {
      // A full disk: the sentence on the terminal is what is left.
    }
    const message = error instanceof Error ? error.message : String(error);
    this.#say(
      `Something went wrong in the lab server, which goes on: ${message.split("\n")[0]} (more in ${this.file})`,
    );
  }
}
