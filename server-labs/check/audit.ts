// Audit. Proves that a lab is sound (`npm run check -- LAB --account`): every solution passes every check, every starter
// fails at least one, the check that a mutant names catches it, and every check has its hints. A fault names file and line.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import {
  commandWithoutLimit,
  hintsOf,
  type Lab,
  limitAdvice,
  place as lineAt,
  wordingProblems,
} from "../book.ts";
import { Semaphore } from "../lib/semaphore.ts";
import { count, failureSentence } from "../protocol.ts";
import type { Check } from "./declarations.ts";
import type { Outcome } from "./outcome.ts";
import { failureLines, type Report } from "./report.ts";
import { type KnownResults, runChecks } from "./run-checks.ts";
import type { Subject } from "./server-process.ts";

/** The limits that all audited labs share: the programs that run at once, and the files that are checked at once. */
export interface AuditLimits {
  programs: Semaphore;
  files: Semaphore;
}

/** More than there are processors: a program under test mostly sleeps, and its check mostly waits. */
export const auditLimits = (): AuditLimits => ({ programs: new Semaphore(8), files: new Semaphore(8) });

export interface AuditOptions {
  lab: Lab;
  checks: Check[];
  /** Makes a file ready to run. */
  subject: (file: string) => Promise<Subject>;
  print: (line: string) => void;
  /** Called with a sentence for each result that differed while other programs ran, or that a busy machine hindered. */
  onDisturbed: (sentence: string) => void;
  limits: AuditLimits;
  /** The seed of every run; random by default. */
  seed?: number | undefined;
  /** The mistakes in the types of the lab's files, as sentences with their places. */
  types?: readonly string[];
}

/** Audits one lab. @returns a sentence for each fault */
export async function auditLab(options: AuditOptions): Promise<string[]> {
  const { lab, checks, print, limits } = options;
  const faults: string[] = [];
  const audit = new LabAudit(options, fault => {
    faults.push(fault);
    for (const line of fault.split("\n")) print(`  ✗ ${line}`);
  });
  print(lab.id);
  const right = [lab.solution, ...typescriptIn(join(dirname(lab.checksFile), "alternatives"))];
  const jobs = [
    ...right.map(file => () => audit.solution(file)),
    () => audit.starter(lab.files[0]!.starter),
    ...lab.mutants.map(mutant => () => audit.mutant(mutant)),
  ];
  await inOrder(jobs.map(job => () => limits.files.run(job)));
  const caughtBy = new Set(lab.mutants.map(mutant => mutant.caughtBy));
  // Those of an earlier lab are proven there.
  const further = new Set(lab.passes?.checks.map(({ id }) => id));
  for (const { id } of checks) if (!further.has(id) && !caughtBy.has(id)) audit.withoutMutant(id);
  audit.hints();
  audit.wording();
  audit.types();
  return faults;
}

const silent: Report = { onState: () => {}, onOutcome: () => {}, onEnd: () => {} };

/** Reports what was found; called for one file after another, in order. */
type Finding = () => void;

class LabAudit {
  readonly #options: AuditOptions;
  readonly #fault: (sentence: string) => void;

  constructor(options: AuditOptions, fault: (sentence: string) => void) {
    this.#options = options;
    this.#fault = fault;
  }

  /** A solution, or an alternative, must pass every check. */
  async solution(file: string): Promise<Finding> {
    const { checks, print } = this.#options;
    const outcomes = await this.#run(file, checks, { meets: ({ state }) => state === "passed" });
    const wrong = outcomes.filter(({ state, busy }) => state !== "passed" && !busy);
    return () => {
      for (const outcome of outcomes) this.#notJudged(file, outcome);
      for (const outcome of wrong) {
        const why = outcome.failure ? failureOf(outcome, file) : (outcome.note ?? "");
        this.#fault(
          `${placeOf(file)}: does not pass ${outcome.id} (${this.#declaration(outcome.id)}):\n    ${why}`,
        );
      }
      if (wrong.length === 0) print(`  ✓ ${basename(file)} passes ${count(checks.length, "check")}`);
    };
  }

  /** A starter must listen, and fail at least one check. */
  async starter(file: string): Promise<Finding> {
    const outcomes = await this.#run(file, this.#options.checks, { shrinks: false });
    const caught = outcomes.filter(({ state }) => state === "failed");
    const broken = caught.find(outcome => outcome.start || outcome.broken);
    return () => {
      if (broken) this.#fault(`${placeOf(file)}: cannot be checked: ${failureOf(broken, file)}`);
      else if (caught.length === 0)
        this.#fault(`${placeOf(file)}: passes every check, so the reader has nothing to do`);
      else this.#options.print(`  ✓ ${basename(file)} fails ${caught.map(outcome => outcome.id).join(", ")}`);
    };
  }

  /** A mutant must fail the check that it names. */
  async mutant({ file, caughtBy: id }: Lab["mutants"][number]): Promise<Finding> {
    const { checks, print } = this.#options;
    const [outcome] = await this.#run(
      file,
      checks.filter(check => check.id === id),
      { shrinks: false, meets: one => isCaught(one) || one.busy?.failed === true },
    );
    const sound = outcome !== undefined && isCaught(outcome);
    return () => {
      const endless = commandWithoutLimit(outcome?.failure?.see ?? "");
      if (endless)
        this.#fault(
          `${this.#declaration(id)}: the command of a failure may wait for ever ("${endless}"): ${limitAdvice}`,
        );
      if (sound) print(`  ✓ ${basename(file)} is caught by ${id}: ${outcome.failure!.summary}`);
      else if (outcome?.busy?.failed)
        print(`  ✓ ${basename(file)} fails each try of ${id}, on a busy machine`);
      else if (outcome?.busy) this.#notJudged(file, outcome);
      else if (outcome?.state === "failed")
        this.#fault(`${placeOf(file)}: cannot be checked: ${failureOf(outcome, file)}`);
      else {
        const note = outcome?.note === undefined ? "" : `:\n    ${outcome.note}`;
        this.#fault(`${placeOf(file)}: is not caught by ${id} (${this.#declaration(id)})${note}`);
      }
    };
  }

  /** A machine that is too busy even for one program proves nothing of a lab, neither that it is right nor that it is wrong. */
  #notJudged(file: string, { id, busy, note }: Outcome): void {
    if (busy)
      this.#options.onDisturbed(`${placeOf(file)}: ${id} (${this.#declaration(id)}) was not judged: ${note}`);
  }

  withoutMutant(id: string): void {
    this.#fault(`${this.#declaration(id)}: no mutant proves that the check "${id}" can fail`);
  }

  hints(): void {
    const { lab, checks } = this.#options;
    const hints = hintsOf(
      lab,
      checks.map(({ id }) => id),
    );
    if (!hints) {
      this.#fault(`${lab.id} has no lab/hints.md`);
      return;
    }
    const at = (offset: number) => placeOf(hints.file, lineAt(hints.text, offset).line);
    for (const mistake of hints.mistakes) this.#fault(`${at(mistake.at)}: ${mistake.sentence}`);
    for (const [id, ladder] of hints.ladders)
      if (ladder.rungs.length === 1)
        this.#fault(`${at(ladder.at)}: the check "${id}" has 1 hint, and needs two or three`);
  }

  wording(): void {
    const { id, folder, chapter } = this.#options.lab;
    const chapters = dirname(chapter.folder);
    for (const { file, line, sentence } of wordingProblems({ id, folder }, chapters))
      this.#fault(`${placeOf(join(dirname(chapters), file), line)}: ${sentence}`);
  }

  types(): void {
    for (const mistake of this.#options.types ?? []) this.#fault(mistake);
  }

  /**
   * @param shrinks the failure is for a person: it is worth the seconds that make it small
   * @param meets the outcome is as the book says
   */
  async #run(
    file: string,
    checks: readonly Check[],
    { shrinks = true, meets }: { shrinks?: boolean; meets?: (outcome: Outcome) => boolean },
  ): Promise<Outcome[]> {
    const { lab, subject, limits, seed, onDisturbed } = this.#options;
    const expectation: KnownResults | undefined = meets && {
      meets,
      onDisturbed: ({ id, state, failure, note }) =>
        onDisturbed(
          `${placeOf(file)}: ${id} (${this.#declaration(id)}) ${state} while other programs ran: ${failure ? failureSentence(failure) : (note ?? "")}`,
        ),
    };
    return runChecks(checks, {
      subject: await subject(file),
      port: lab.port,
      report: silent,
      semaphore: limits.programs,
      seed,
      shrinks,
      expectation,
    });
  }

  #declaration(id: string): string {
    const { lab } = this.#options;
    const { checksFile } = lab.passes?.checks.some(check => check.id === id) ? lab.passes : lab;
    return placeOf(checksFile, lineOf(checksFile, `"${id}"`));
  }
}

/** A failure of the program: not one of the check, or of its start. */
const isCaught = ({ state, start, broken }: Outcome) => state === "failed" && !start && !broken;

const placeOf = (file: string, line = 1) => `${relative(process.cwd(), file)}:${line}`;

/** A failure as text. Its line number is that of the whole program, and not of a diff. */
function failureOf(outcome: Outcome, file: string): string {
  return failureLines(outcome.failure!, basename(file).replace(/\.diff$/, ".ts")).join("\n    ");
}

/** Does these jobs at once, and calls their findings in the order of the jobs. */
async function inOrder(jobs: readonly (() => Promise<Finding>)[]): Promise<void> {
  const started = jobs.map(job => job());
  // The first rejection is thrown below; the others must not count as unhandled.
  for (const one of started) one.catch(() => {});
  for (const one of started) (await one)();
}

/** The TypeScript files in a folder, by name; none when it does not exist. */
export function typescriptIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => name.endsWith(".ts"))
    .sort()
    .map(name => join(folder, name));
}

/** The number of the first line that contains this part; 1 when no line does. */
function lineOf(file: string, part: string): number {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.findIndex(line => line.includes(part)) + 1 || 1;
}
