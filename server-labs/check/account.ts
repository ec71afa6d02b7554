// The book held to account: every solution passes every check, every starter fails at least one, every mutant is
// caught by the check that it names, and every check has its hints. What is not so is said with file and line.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { hintsOf } from "../book/hints.ts";
import { place as lineAt } from "../book/problem.ts";
import type { Lab } from "../book.ts";
import type { Outcome } from "./attack.ts";
import type { Check } from "./check.ts";
import { makeChecks } from "./checker.ts";
import { count } from "./journal.ts";
import type { Subject } from "./program.ts";
import { type Report, story } from "./report.ts";
import { Slots } from "./slots.ts";

export interface AccountOptions {
  lab: Lab;
  checks: Check[];
  /** Makes a file ready to run. */
  subject: (file: string) => Promise<Subject>;
  say: (line: string) => void;
  room: Room;
}

const silent: Report = { is: () => {}, became: () => {}, end: () => {} };

/** What all labs that are held to account at the same time share: programs that run at once, and files that are under way. */
export interface Room {
  programs: Slots;
  files: Slots;
}

/** More than there are processors: a program under test mostly sleeps, and who checks it mostly waits. */
export const makeRoom = (): Room => ({ programs: new Slots(8), files: new Slots(8) });

/** Holds one lab to account. */
export async function hold({ lab, checks, subject, say, room }: AccountOptions): Promise<string[]> {
  const faults: string[] = [];
  const fault = (sentence: string) => {
    faults.push(sentence);
    for (const line of sentence.split("\n")) say(`  ✗ ${line}`);
  };
  const place = (file: string, line = 1) => `${relative(process.cwd(), file)}:${line}`;
  const declared = (id: string) => place(lab.checksFile, lineOf(lab.checksFile, `"${id}"`));
  const make = async (file: string, made: readonly Check[] = checks) =>
    makeChecks(made, { subject: await subject(file), port: lab.port, report: silent, slots: room.programs });
  const told = (outcome: Outcome, file: string) => {
    // A line is one of the whole program, which a diff is not.
    const program = basename(file).replace(/\.diff$/, ".ts");
    return story(outcome.failure!, program).join("\n    ");
  };

  say(lab.id);
  const right = [lab.solution, ...folder(join(dirname(lab.solution), "alternatives"))];
  const starters = lab.files.map(({ starter }) => starter);
  const accounts = [
    ...right.map(file => async () => {
      const wrong = (await make(file)).filter(outcome => outcome.state !== "passed");
      return () => {
        for (const outcome of wrong) {
          const why = outcome.failure ? told(outcome, file) : (outcome.note ?? "");
          fault(`${place(file)}: does not pass ${outcome.id} (${declared(outcome.id)}):\n    ${why}`);
        }
        if (wrong.length === 0) say(`  ✓ ${basename(file)} passes ${count(checks.length, "check")}`);
      };
    }),
    ...starters.map(starter => async () => {
      const caught = (await make(starter)).filter(outcome => outcome.state === "failed");
      const broken = caught.find(outcome => outcome.start || outcome.broken);
      return () => {
        if (broken) fault(`${place(starter)}: cannot be checked: ${told(broken, starter)}`);
        else if (caught.length === 0)
          fault(`${place(starter)}: passes every check, so there is nothing to do in it`);
        else say(`  ✓ ${basename(starter)} fails ${caught.map(outcome => outcome.id).join(", ")}`);
      };
    }),
    ...lab.mutants.map(({ file, caughtBy: id }) => async () => {
      const [outcome] = await make(
        file,
        checks.filter(check => check.id === id),
      );
      const sound = outcome?.state === "failed" && !outcome.start && !outcome.broken;
      return () => {
        if (sound) say(`  ✓ ${basename(file)} is caught by ${id}: ${outcome.failure!.summary}`);
        else if (outcome?.state === "failed")
          fault(`${place(file)}: cannot be checked: ${told(outcome, file)}`);
        else fault(`${place(file)}: is not caught by ${id} (${declared(id)})`);
      };
    }),
  ];
  await inOrder(accounts.map(account => () => room.files.take(account)));

  const caughtBy = new Set(lab.mutants.map(mutant => mutant.caughtBy));
  for (const { id } of checks) {
    if (!caughtBy.has(id)) fault(`${declared(id)}: no mutant proves that the check "${id}" can fail`);
  }

  const hints = hintsOf(
    lab,
    checks.map(({ id }) => id),
  );
  if (!hints) fault(`${lab.id} has no lab/hints.md`);
  else {
    const at = (offset: number) => place(hints.file, lineAt(hints.text, offset).line);
    for (const mistake of hints.mistakes) fault(`${at(mistake.at)}: ${mistake.sentence}`);
    for (const [id, ladder] of hints.ladders)
      if (ladder.rungs.length === 1)
        fault(`${at(ladder.at)}: the check "${id}" has 1 hint, and needs two or three`);
  }
  return faults;
}

/** Does all these, and lets each say what it found in the order in which they stand. */
async function inOrder(jobs: readonly (() => Promise<() => void>)[]): Promise<void> {
  const begun = jobs.map(job => job());
  // The first that goes wrong is told here; the others are no surprise then.
  for (const one of begun) one.catch(() => {});
  for (const one of begun) (await one)();
}

function folder(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter(name => name.endsWith(".ts"))
    .sort()
    .map(name => join(path, name));
}

function lineOf(file: string, part: string): number {
  return (
    readFileSync(file, "utf8")
      .split("\n")
      .findIndex(line => line.includes(part)) + 1 || 1
  );
}
