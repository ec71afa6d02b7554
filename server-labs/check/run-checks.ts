// Check runner. Runs the checks of a lab on one program, several at a time: each gets a fresh server and its own
// clients, and leaves no process, socket or file behind.

import { Journal, Network, Poller } from "../clients.ts";
import { Semaphore } from "../lib/semaphore.ts";
import type { Failure } from "../protocol.ts";
import type { Seed } from "./conversations/converse.ts";
import type { Check } from "./declarations.ts";
import { type BrokenPromise, type Circumstances, type Outcome, outcomeOf } from "./outcome.ts";
import type { Report } from "./report.ts";
import type { Server } from "./server.ts";
import type { ServerProcess, Subject } from "./server-process.ts";
import { SiteFolder } from "./site-folder.ts";
import { type StartOptions, startServer } from "./start.ts";
import { checkLimitMs, within } from "./time-limit.ts";
import { endedFailure, makeTools } from "./tools.ts";

/** Checks that run at once. No check judges the speed of the machine, and most checks wait most of the time. */
const concurrentChecks = 4;
/** A broken connection may be the first sign of a server that is dying: its end is known so many milliseconds later. */
const dyingMs = 200;
/** A server that waits in one call for so long does not just pass through it, in milliseconds. */
const waitsMs = 300;

export interface RunChecksOptions {
  subject: Subject;
  /** The lab's own port, for the commands that show a failure again. */
  port: number;
  report: Report;
  /** What differs from run to run is the same for the same seed: a whole number, random by default. */
  seed?: number | undefined;
  /** False: a failure of generated conversations is not shrunk to the smallest one; true by default. */
  shrinks?: boolean;
  /** The command that runs this check of this program; "npm run check -- LAB --only ID" by default. */
  command?: ((id: string) => string) | undefined;
  /** Limits the checks that run at once, if several calls share the limit. */
  semaphore?: Semaphore;
  /** What is known of the program, if anything is: an outcome that contradicts it counts when no other check runs. */
  expectation?: KnownResults | undefined;
}

export interface KnownResults {
  meets(outcome: Outcome): boolean;
  /** Called with an outcome that contradicted the expectation only while other checks ran. */
  onDisturbed(outcome: Outcome): void;
}

/** Runs these checks. @returns their outcomes, in the order of the checks */
export async function runChecks(checks: readonly Check[], options: RunChecksOptions): Promise<Outcome[]> {
  const { report, subject, port, semaphore = new Semaphore(concurrentChecks) } = options;
  const {
    seed = randomSeed(),
    shrinks = true,
    command = id => `npm run check -- LAB --only ${id}`,
    expectation,
  } = options;
  let neverListened: Outcome | null = null;

  const runOnce = async (check: Check): Promise<Outcome> => {
    // A program that did not listen in one check will not listen in the next: do not wait for it eight times.
    const outcome = neverListened
      ? { ...neverListened, id: check.id, title: check.title, took: 0 }
      : await runCheck(check, subject, {
          seed: { seed, shrinks, command: `${command(check.id)} --seed ${seed}` },
        });
    if (outcome.start) neverListened ??= outcome;
    return outcome.failure ? { ...outcome, failure: withSettings(outcome.failure, port, subject) } : outcome;
  };
  const run = async (check: Check): Promise<Outcome> => {
    const start = () => {
      report.onState(check, "running");
      return runOnce(check);
    };
    const outcome = await (check.options.patient ? start() : semaphore.run(start));
    if (outcome.busy) return semaphore.runAlone(() => runOnce(check));
    if (!expectation || expectation.meets(outcome)) return outcome;
    const alone = await semaphore.runAlone(() => {
      neverListened = null;
      return runOnce(check);
    });
    if (expectation.meets(alone)) expectation.onDisturbed(outcome);
    return alone;
  };
  const running = checks.map(run);
  const outcomes = await Promise.all(
    running.map(async (one, index) => {
      const outcome = await one;
      const judge = checks.findIndex(({ options }) => options.judges === outcome.breaks?.promise);
      const settled =
        outcome.breaks && judge !== -1 && judge !== index
          ? afterJudge(outcome, outcome.breaks, await running[judge]!)
          : outcome;
      report.onOutcome(settled);
      return settled;
    }),
  );
  report.onEnd(outcomes);
  return outcomes;
}

/** One cause, one failure: what a broken promise has made fail is not judged, if the check that judges it has failed. */
function afterJudge(outcome: Outcome, { promise, saying }: BrokenPromise, judge: Outcome): Outcome {
  if (judge.state !== "failed" || judge.breaks?.promise !== promise) return outcome;
  const { id, title, took } = outcome;
  const note = `${saying}, so this check could not go on. The check "${judge.title}" judges that: mend it first.`;
  return { id, title, took, state: "unjudged", note };
}

/** The failure with its command as a shell takes it: {port} and {folder} have their values. */
function withSettings(failure: Failure, port: number, subject: Subject): Failure {
  if (failure.see === undefined) return failure;
  const folder = "cwd" in subject ? subject.cwd : process.cwd();
  const quoted = /^[\w./~+-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`;
  return { ...failure, see: failure.see.replaceAll("{port}", String(port)).replaceAll("{folder}", quoted) };
}

/** A seed of few digits, which a person can type. */
const randomSeed = () => Math.floor(Math.random() * 1_000_000);

/** Runs one check on this program. */
export async function runCheck(
  check: Check,
  subject: Subject,
  { seed, ...options }: StartOptions & { seed?: Seed } = {},
): Promise<Outcome> {
  const began = performance.now();
  const outcome = (rest: Omit<Outcome, "id" | "title" | "took">): Outcome => ({
    id: check.id,
    title: check.title,
    took: Math.round(performance.now() - began),
    ...rest,
  });
  const journal = new Journal();
  const network = new Network();
  let program: ServerProcess | null = null;
  let made: ReturnType<typeof makeTools> | null = null;
  const { files } = check.options;
  const apart = subject.kind === "command" && subject.apart;
  const folder = (files || apart) && subject.kind !== "unready" ? new SiteFolder(files ?? {}) : null;
  const runnable = folder && subject.kind !== "unready" ? folder.around(subject) : subject;
  try {
    const { descriptors, workers } = check.options;
    program = await startServer(runnable, { descriptors, workers, ...options });
    journal.start();
    made = makeTools(program, network, journal, { folder, ...(seed && { seed }) });
    await within(check.body(made.tools), check.options.limit ?? checkLimitMs);
    if (program.gone && !program.mayEnd) throw await ended(program);
    return outcome({ state: "passed" });
  } catch (error) {
    const broken = made?.connected.some(client => client.state === "ended" || client.state === "broken");
    if (program && broken) await poller.until(() => program?.gone, dyingMs);
    if (program?.gone) await ended(program);
    return outcome(outcomeOf(error, circumstances(check, journal, program, made?.tools.server ?? null)));
  } finally {
    for (const backEnd of made?.backEnds ?? []) backEnd.close();
    network.close();
    await program?.kill();
    folder?.remove();
  }
}

function circumstances(
  { options: { labRule } }: Check,
  journal: Journal,
  program: ServerProcess | null,
  server: Server | null,
): Circumstances {
  const evidence = journal.lines();
  const files = program?.files ?? [];
  if (!program?.ended)
    return { evidence, ended: null, files, blockedCall: server?.stuck(waitsMs) ?? null, labRule };
  const ended = { how: program.end, lastLines: program.output.lastLines(20) };
  return { evidence, ended, files, blockedCall: null };
}

const poller = new Poller(() => {});

/** Waits for the last output of a program that has ended. */
async function ended(program: ServerProcess): Promise<Error> {
  await poller.until(() => program.ended, 1000);
  return endedFailure(program);
}
