// How a check ends when it does not pass. A failure is about the student's program; Unobserved is about what
// could not be seen; anything else that is thrown is a mistake in the check itself, and is said to be that.
import type { Failure } from "../protocol.ts";
import type { Call } from "./calls.ts";

/** What a check may add to a failure. */
export interface Why {
  /** The cause, in one sentence that teaches. */
  because?: string;
  /** A command that shows it again; {port} is the lab's port. */
  see?: string;
  /** The call in which it went wrong: names the line of the program. */
  at?: Call | null;
  expected?: string;
  actual?: string;
}

/** What a check says of the program under test: the evidence is added by whoever ran the check. */
export class CheckFailure extends Error {
  readonly failure: Omit<Failure, "evidence">;

  constructor(summary: string, { at, ...why }: Why = {}) {
    super(summary);
    this.name = "CheckFailure";
    this.failure = { summary, ...why, ...(at?.line ? { line: at.line } : {}) };
  }
}

/** The program never got as far as listening: every check of it fails for this one reason. */
export class StartFailure extends CheckFailure {
  readonly evidence: string[];

  constructor(summary: string, evidence: string[], why: Why & { line?: number | undefined } = {}) {
    const { line, ...rest } = why;
    super(summary, rest);
    this.name = "StartFailure";
    this.evidence = evidence;
    if (line !== undefined) this.failure.line = line;
  }
}

/** What the check needs to see cannot be seen in this program. */
export class Unobserved extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "Unobserved";
  }
}
