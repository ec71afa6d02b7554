// The checks of a lab, made of one program. Several at a time, because a check mostly waits; and beside them those that
// do nothing else, for many seconds.
import type { Failure } from "../protocol.ts";
import { attack, type Outcome } from "./attack.ts";
import type { Check } from "./check.ts";
import type { Subject } from "./program.ts";
import type { Report } from "./report.ts";
import { Slots } from "./slots.ts";

/** Checks under way at once: none judges by how fast the machine is, and most of them wait most of the time. */
const atOnce = 4;

export interface CheckingOptions {
  subject: Subject;
  /** The lab's own port, for the commands that show a failure again. */
  port: number;
  report: Report;
  /** Places for checks, if others are made at the same time. */
  slots?: Slots;
}

/** Makes these checks and returns what became of each, in order. */
export async function makeChecks(checks: readonly Check[], options: CheckingOptions): Promise<Outcome[]> {
  const { report, subject, port, slots = new Slots(atOnce) } = options;
  const outcomes: Outcome[] = [];
  let neverListened: Outcome | null = null;

  const make = async (index: number, check: Check) => {
    report.is(check, "running");
    // A program that never listens does not do so in any other check: nobody waits for it eight times.
    const outcome = neverListened
      ? { ...neverListened, id: check.id, title: check.title, took: 0 }
      : await attack(check, subject);
    if (outcome.start) neverListened ??= outcome;
    outcomes[index] = outcome.failure ? { ...outcome, failure: withPort(outcome.failure, port) } : outcome;
    report.became(outcomes[index]);
  };
  const made = checks.map((check, index) =>
    check.options.patient ? make(index, check) : slots.take(() => make(index, check)),
  );
  await Promise.all(made);
  report.end(outcomes);
  return outcomes;
}

function withPort(failure: Failure, port: number): Failure {
  if (failure.see === undefined) return failure;
  return { ...failure, see: failure.see.replaceAll("{port}", String(port)) };
}
