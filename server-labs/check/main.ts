// The checks from a shell, and as the process that the lab server starts:
//   npm run check -- <lab> [--starter | --solution | --file F | --command "python3 server.py {port}"] …
// Without a choice it is the student's own file. Exit code: 0 all passed, 1 some failed, 2 nothing could be made.
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { hintsOf } from "../book/hints.ts";
import { BookError, type Lab, labFile, readBook } from "../book.ts";
import { workspaceFolder } from "../workspace-folder.ts";
import { hold, makeRoom } from "./account.ts";
import type { Outcome } from "./attack.ts";
import type { Check } from "./check.ts";
import { makeChecks } from "./checker.ts";
import { type Choice, Misuse, readChoice, usage } from "./choice.ts";
import { StartFailure } from "./failure.ts";
import { count } from "./journal.ts";
import { packageRoot } from "./package-root.ts";
import { Workshop } from "./prepare.ts";
import { killAll, type Subject } from "./program.ts";
import { jsonReport, personReport, type Report } from "./report.ts";

const workshop = new Workshop(process.env.LAB_STRIPPED);
process.on("exit", () => {
  killAll();
  workshop.close();
});
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.on(signal, () => process.exit(128 + number));
}

/** Where the person is who typed the command: npm runs scripts in the package's folder. */
const here = process.env.INIT_CWD ?? process.cwd();

try {
  process.exitCode = await main();
} catch (error) {
  // Said in words where it is a person's mistake; else it is ours, and the stack tells where.
  const said = error instanceof Misuse || error instanceof BookError || error instanceof StartFailure;
  process.stderr.write(`${said ? error.message : ((error as Error)?.stack ?? error)}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values: choice, positionals } = readChoice();
  if (choice.help) {
    console.log(usage);
    return 0;
  }
  const book = readBook(resolve(here, choice.chapters ?? join(packageRoot, "chapters")));
  const [id, ...more] = positionals;
  if (more.length > 0)
    throw new Misuse(
      `One lab at a time: "${positionals.join(" ")}" names ${count(positionals.length, "lab")}.`,
    );
  const lab = id === undefined ? undefined : book.lab(id);
  if (id !== undefined && !lab)
    throw new Misuse(`There is no lab "${id}". There is: ${book.labs.map(one => one.id).join(", ")}.`);
  if (choice.all) return all(lab ? [lab] : book.labs);
  if (lab && choice.account) return all([lab]);
  if (!lab) throw new Misuse(usage);
  if (choice.hint !== undefined) return hint(lab, choice.hint, Number(choice.rung ?? 1));

  const unknown = choice.only?.find(only => !lab.checks.some(check => check.id === only));
  if (unknown !== undefined) {
    throw new Misuse(
      `${lab.id} has no check "${unknown}". It has: ${lab.checks.map(check => check.id).join(", ")}.`,
    );
  }
  const wanted = (check: { id: string }) => choice.only?.includes(check.id) ?? true;
  const { file, name } = choose(lab, choice);
  const repeat = Number(choice.repeat ?? 1);
  if (!Number.isInteger(repeat) || repeat < 1)
    throw new Misuse(`--repeat takes how many times: "${choice.repeat}" is no number of times.`);

  const report = reportFor(lab, name, { json: choice.json ?? false, failuresOnly: repeat > 1 });
  const round: Report = repeat > 1 ? { ...report, end: () => {} } : report;
  const outcomes: Outcome[] = [];
  for (let made = 0; made < repeat; made++) {
    // Said before the compiler is loaded: whoever watches sees at once what will be checked.
    for (const check of lab.checks.filter(wanted)) round.is(check, "waiting");
    const checks = (await workshop.checks(lab.checksFile)).filter(wanted);
    const subject: Subject =
      file === null ? { kind: "command", line: choice.command!, cwd: here } : await subjectOf(file);
    outcomes.push(...(await makeChecks(checks, { subject, port: lab.port, report: round })));
  }
  if (repeat > 1) report.end(outcomes);
  if (outcomes.some(outcome => outcome.broken)) return 2;
  return outcomes.some(outcome => outcome.state === "failed") ? 1 : 0;
}

/** What is checked: a file, or null for a command; and how it is called. */
function choose(lab: Lab, choice: Choice): { file: string | null; name: string } {
  const given = [choice.starter, choice.solution, choice.file, choice.command].filter(
    one => one !== undefined,
  );
  if (given.length > 1) throw new Misuse("Choose one of --starter, --solution, --file and --command.");
  if (choice.command !== undefined) {
    if (!choice.command.includes("{port}")) {
      throw new Misuse(`The command must say where the port goes: --command "${choice.command} {port}".`);
    }
    return { file: null, name: choice.command };
  }
  const own = join(workspaceFolder(), lab.id, labFile);
  const file = choice.starter
    ? lab.files[0]!.starter
    : choice.solution
      ? lab.solution
      : choice.file !== undefined
        ? resolve(here, choice.file)
        : own;
  if (!existsSync(file)) {
    const instead =
      "Open the lesson in the page (npm start) and save it, or choose --starter, --solution or --file.";
    throw new Misuse(
      file === own
        ? `There is no work of yours yet: ${own} does not exist. ${instead}`
        : `${file} does not exist.`,
    );
  }
  return { file, name: basename(file) };
}

async function subjectOf(file: string): Promise<Subject> {
  try {
    return { kind: "file", module: await workshop.module(file), name: file, cwd: folderFor(file) };
  } catch (error) {
    if (error instanceof StartFailure) return { kind: "unready", failure: error };
    throw error;
  }
}

/** Where the program runs, html/ beside it: the lab server has chosen, else it is the workspace or the package. */
function folderFor(file: string): string {
  if (process.env.LAB_REPORT_FD !== undefined) return process.cwd();
  return file.startsWith(`${workspaceFolder()}/`) ? dirname(file) : packageRoot;
}

function reportFor(
  lab: Lab,
  name: string,
  { json, failuresOnly }: { json: boolean; failuresOnly: boolean },
): Report {
  // Under the lab server the events are for it; what a person reads is its own affair.
  if (process.env.LAB_REPORT_FD !== undefined) return jsonReport(Number(process.env.LAB_REPORT_FD));
  if (json) return jsonReport(1);
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  console.log(`${lab.id} · ${name}\n`);
  return personReport({ lab: lab.id, name, colours, failuresOnly, say: line => console.log(line) });
}

/** The whole book, or one lab of it, held to account. */
async function all(labs: readonly Lab[]): Promise<number> {
  const room = makeRoom();
  const checksOf: Check[][] = [];
  // One after another: what a checks.ts declares is known by when it was imported.
  for (const lab of labs) checksOf.push(await workshop.checks(lab.checksFile));
  const said = labs.map(() => [] as string[]);
  let telling = 0;
  // They are held to account side by side, and told one after another, the first as it goes.
  const accounts = labs.map((lab, i) => {
    const say = (line: string) => (i === telling ? console.log(line) : said[i]!.push(line));
    return hold({ lab, checks: checksOf[i]!, subject: subjectOf, say, room });
  });
  for (const account of accounts) account.catch(() => {});
  const faults: string[] = [];
  for (const account of accounts) {
    for (const line of said[telling]!.splice(0)) console.log(line);
    faults.push(...(await account));
    telling++;
  }
  const sum =
    faults.length === 0 ? "all is as the book says" : `${count(faults.length, "fault")}, told above`;
  console.log(`\n${count(labs.length, "lab")}: ${sum}.`);
  return faults.length === 0 ? 0 : 1;
}

function hint(lab: Lab, id: string, rung: number): number {
  const hints = hintsOf(lab);
  const rungs = hints?.ladders.get(id)?.rungs;
  if (!hints || !rungs)
    throw new Misuse(
      `${lab.id} has no check "${id}" with hints. There are: ${[...(hints?.ladders.keys() ?? [])].join(", ")}.`,
    );
  const wanted = rungs[rung - 1];
  if (wanted === undefined)
    throw new Misuse(`The check "${id}" has ${count(rungs.length, "hint")}: --rung 1 to ${rungs.length}.`);
  console.log(hints.text.slice(wanted.from, wanted.to).trim());
  if (rung < rungs.length)
    console.log(`\nOne more: npm run check -- ${lab.id} --hint ${id} --rung ${rung + 1}`);
  return 0;
}
