// The checks of a lab, made of one program. Two at a time, because a check mostly waits; and beside them those that
// do nothing else, for many seconds.
import type { Failure } from "../protocol.ts";
import { attack, type Outcome } from "./attack.ts";
import type { Check } from "./check.ts";
import type { Subject } from "./program.ts";
import type { Report } from "./report.ts";

/** Checks under way at once: none judges by how fast the machine is, and a starter spends most of them asleep. */
const atOnce = 2;

export interface CheckingOptions {
  subject: Subject;
  /** The lab's own port, for the commands that show a failure again. */
  port: number;
  report: Report;
}

/** Makes these checks and returns what became of each, in order. */
export async function makeChecks(checks: readonly Check[], options: CheckingOptions): Promise<Outcome[]> {
  const { report, subject, port } = options;
  const outcomes: Outcome[] = [];
  const all = [...checks.entries()];
  const patient = all.filter(([, { options }]) => options.patient);
  const others = all.filter(([, { options }]) => !options.patient);
  let neverListened: Outcome | null = null;

  const worker = async (queue: [number, Check][]) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, check] = next;
      report.is(check, "running");
      // A program that never listens does not do so in any other check: nobody waits for it eight times.
      const outcome = neverListened
        ? { ...neverListened, id: check.id, title: check.title, took: 0 }
        : await attack(check, subject);
      if (outcome.start) neverListened ??= outcome;
      outcomes[index] = outcome.failure ? { ...outcome, failure: withPort(outcome.failure, port) } : outcome;
      report.became(outcomes[index]);
    }
  };
  await Promise.all([worker(patient), ...Array.from({ length: atOnce }, () => worker(others))]);
  report.end(outcomes);
  return outcomes;
}

function withPort(failure: Failure, port: number): Failure {
  if (failure.see === undefined) return failure;
  return { ...failure, see: failure.see.replaceAll("{port}", String(port)) };
}
