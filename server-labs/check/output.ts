// What the server under test has printed, as a check asks for it.
import type { Program } from "./program.ts";
import { patience, type Waiting, type Within } from "./wait.ts";

/** What the server prints. */
export class Output {
  readonly #program: Program;
  readonly #waiting: Waiting;

  constructor(program: Program, waiting: Waiting) {
    this.#program = program;
    this.#waiting = waiting;
  }

  /** Bytes since it was started. */
  get bytes(): number {
    return this.#program.printed.bytes;
  }

  /** Lines since it was started. */
  get lines(): number {
    return this.#program.printed.lines;
  }

  /** What it printed after it had printed this many bytes. */
  since(bytes: number): string {
    return this.#program.printed.since(bytes);
  }

  /** Waits until it prints this, after it had printed `from` bytes; null if it does not in time. */
  async says(
    part: string | RegExp,
    { within = patience, from = 0 }: Within & { from?: number } = {},
  ): Promise<string | null> {
    let seen = -1;
    const said = () => {
      if (this.bytes === seen) return null;
      seen = this.bytes;
      const text = this.since(from);
      return (typeof part === "string" ? text.includes(part) : part.test(text)) ? text : null;
    };
    return this.#waiting.until(said, within);
  }
}
