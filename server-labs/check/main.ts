// Check command. Runs a lab's checks from a shell (`npm run check`), and as the checker process of the lab server.
// Exit code: 0 all checks passed, 1 a check failed, 2 the checks could not run.
import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import {
  BookError,
  checksFilesOf,
  furtherHintsOf,
  hintsOf,
  type Lab,
  labFile,
  problemLines,
  surveyBook,
} from "../book.ts";
import { packageRoot } from "../lib/package-root.ts";
import { count } from "../protocol.ts";
import { native } from "../runtime.ts";
import { workspaceFolder } from "../workspace.ts";
import { auditLab, auditLimits } from "./audit.ts";
import { type CheckOptionValues, checkUsage, parseCommandLine, UsageError } from "./command-line.ts";
import type { Check } from "./declarations.ts";
import { ModuleFolder } from "./module-folder.ts";
import { type Outcome, StartFailure } from "./outcome.ts";
import { jsonReport, type Report, textReport } from "./report.ts";
import { runChecks } from "./run-checks.ts";
import { makeScoreboard, type ScoreboardOptions } from "./scoreboard.ts";
import { killAll, type Subject } from "./server-process.ts";
import { removeSiteFolders } from "./site-folder.ts";
import { watchForLoops } from "./time-limit.ts";
import { typeMistakes } from "./types.ts";

const modules = new ModuleFolder(process.env.LAB_STRIPPED);
process.on("exit", () => {
  killAll();
  modules.close();
  removeSiteFolders();
});
// The program under test runs as the same user: without this, SIGUSR1 from it would open Node's inspector here.
process.on("SIGUSR1", () => {});
watchForLoops();
// For the same reason it must not write to this process's descriptors, nor trace it: PR_SET_DUMPABLE, prctl(2).
native.prctl(4, 0, 0, 0, 0);
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.on(signal, () => process.exit(128 + number));
}
// Its reader has gone, as in `npm run check -- LAB | head -3`: it ends as by SIGPIPE, without a stack.
process.stdout.on("error", () => process.exit(128 + 13));

/** The folder in which the command was typed: npm runs scripts in the package's folder. */
const callerFolder = process.env.INIT_CWD ?? process.cwd();

try {
  process.exitCode = await main();
} catch (error) {
  // The stack is printed only for a mistake of the workbook itself.
  const sentence = error instanceof UsageError || error instanceof BookError || error instanceof StartFailure;
  process.stderr.write(`${sentence ? error.message : ((error as Error)?.stack ?? error)}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values: options, positionals } = parseCommandLine();
  if (options.help) {
    console.log(checkUsage);
    return 0;
  }
  const chapters = resolve(callerFolder, options.chapters ?? join(packageRoot, "chapters"));
  const { book, problems } = surveyBook(chapters);
  const [id, ...more] = positionals;
  if (more.length > 0)
    throw new UsageError(
      `One lab at a time: "${positionals.join(" ")}" names ${count(positionals.length, "lab")}.`,
    );
  const lab = id === undefined ? undefined : book.lab(id);
  // A mistake elsewhere in the book stops no lab.
  const ofLab = lab && relative(dirname(chapters), lab.folder);
  const concerns = lab ? problems.filter(({ file }) => file.startsWith(`${ofLab}/`)) : problems;
  if (concerns.length > 0 && (!lab || options.all || options.account)) throw new BookError(concerns);
  if (lab && concerns.length > 0) process.stderr.write(`${problemLines(concerns)}\n`);
  if (id !== undefined && !lab)
    throw new UsageError(`There is no lab "${id}". There are: ${book.labs.map(one => one.id).join(", ")}.`);
  if (options.all) return audit(lab ? [lab] : book.labs, seedOf(options));
  if (lab && options.account) return audit([lab], seedOf(options));
  if (!lab) throw new UsageError(checkUsage);
  if (options.hint !== undefined) return hint(lab, options.hint, Number(options.rung ?? 1));

  const unknown = options.only?.find(only => !lab.checks.some(check => check.id === only));
  if (unknown !== undefined) {
    throw new UsageError(
      `${lab.id} has no check "${unknown}". It has: ${lab.checks.map(check => check.id).join(", ")}.`,
    );
  }
  const wanted = (check: { id: string }) => options.only?.includes(check.id) ?? true;
  const { file, name } = chooseSubject(lab, options);
  const repeat = Number(options.repeat ?? 1);
  if (!Number.isInteger(repeat) || repeat < 1)
    throw new UsageError(`--repeat takes a whole number, 1 or more, not "${options.repeat}".`);

  const seed = seedOf(options);
  const subject = async (): Promise<Subject> =>
    file === null ? { kind: "command", line: options.command!, cwd: callerFolder } : subjectOf(file);
  if (options.scoreboard) return scoreboard(lab, options, { name, subject: await subject(), wanted, seed });
  const report = reportFor(lab, name, { json: options.json ?? false, failuresOnly: repeat > 1 });
  const command = (id: string) =>
    ["npm run check --", lab.id, ...subjectWords(options), "--only", id].join(" ");
  const round: Report = repeat > 1 ? { ...report, onEnd: () => {} } : report;
  const outcomes: Outcome[] = [];
  for (let made = 0; made < repeat; made++) {
    // Reported before the compiler is loaded: the page shows at once which checks will run.
    for (const check of lab.checks.filter(wanted)) round.onState(check, "waiting");
    const checks = (await modules.checks(checksFilesOf(lab))).filter(wanted);
    outcomes.push(
      ...(await runChecks(checks, {
        subject: await subject(),
        port: lab.port,
        report: round,
        seed,
        command,
      })),
    );
  }
  if (repeat > 1) report.onEnd(outcomes);
  if (outcomes.some(outcome => outcome.broken)) return 2;
  return outcomes.some(outcome => outcome.state === "failed") ? 1 : 0;
}

/** Compares the chosen program with the lab's rivals. @returns the exit code */
function scoreboard(
  lab: Lab,
  { repeat, json }: CheckOptionValues,
  { name, subject, wanted, seed }: Pick<ScoreboardOptions, "wanted" | "seed"> & ScoreboardOptions["own"],
): Promise<number> {
  if (lab.rivals.length === 0) throw new UsageError(`${lab.id} has no rivals: there is no scoreboard.`);
  if (repeat !== undefined)
    throw new UsageError("A scoreboard is made once: --repeat is for the checks alone.");
  const checks = async () => (await modules.checks(checksFilesOf(lab))).filter(wanted);
  const fd = process.env.LAB_REPORT_FD ?? (json ? 1 : null);
  return makeScoreboard({
    lab,
    checks,
    wanted,
    own: { name, subject },
    seed,
    fd: fd === null ? null : Number(fd),
  });
}

/** @throws UsageError when --seed is not a whole number */
function seedOf({ seed }: CheckOptionValues): number | undefined {
  if (seed === undefined) return undefined;
  if (!/^\d{1,9}$/.test(seed))
    throw new UsageError(`--seed takes a whole number of at most nine digits, not "${seed}".`);
  return Number(seed);
}

/** The words of a command line that say what is checked. */
function subjectWords({ starter, solution, file, command }: CheckOptionValues): string[] {
  const quoted = (text: string) => (/^[\w./~+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  if (starter) return ["--starter"];
  if (solution) return ["--solution"];
  if (file !== undefined) return ["--file", quoted(resolve(callerFolder, file))];
  return command === undefined ? [] : ["--command", quoted(command)];
}

/** What is checked: a file, or null for a command; and its name in the report. */
function chooseSubject(lab: Lab, options: CheckOptionValues): { file: string | null; name: string } {
  const given = [options.starter, options.solution, options.file, options.command].filter(
    one => one !== undefined,
  );
  if (given.length > 1) throw new UsageError("Choose one of --starter, --solution, --file and --command.");
  if (options.command !== undefined) {
    if (!options.command.includes("{port}")) {
      throw new UsageError(`The command must contain {port}: --command "${options.command} {port}".`);
    }
    return { file: null, name: options.command };
  }
  const own = join(workspaceFolder(), lab.id, labFile);
  const file = options.starter
    ? lab.files[0]!.starter
    : options.solution
      ? lab.solution
      : options.file !== undefined
        ? resolve(callerFolder, options.file)
        : own;
  if (!modules.knows(file) && !existsSync(file)) {
    const instead =
      "Open the lesson in the page (npm start) and save it, or choose --starter, --solution or --file.";
    throw new UsageError(
      file === own
        ? `You have not saved a file for this lab yet: ${own} does not exist. ${instead}`
        : `${file} does not exist.`,
    );
  }
  return { file, name: basename(file) };
}

async function subjectOf(file: string): Promise<Subject> {
  try {
    return { kind: "file", cwd: folderFor(file), ...(await modules.program(file)) };
  } catch (error) {
    if (error instanceof StartFailure) return { kind: "unready", failure: error };
    throw error;
  }
}

/** The folder in which the program runs, with html/ in it: the lab server sets it; else it is the workspace or the package. */
function folderFor(file: string): string {
  if (process.env.LAB_REPORT_FD !== undefined) return process.cwd();
  return file.startsWith(`${workspaceFolder()}/`) ? dirname(file) : packageRoot;
}

function reportFor(
  lab: Lab,
  name: string,
  { json, failuresOnly }: { json: boolean; failuresOnly: boolean },
): Report {
  // The lab server reads events from this descriptor, and prints nothing.
  if (process.env.LAB_REPORT_FD !== undefined) return jsonReport(Number(process.env.LAB_REPORT_FD));
  if (json) return jsonReport(1);
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  console.log(`${lab.id} · ${name}\n`);
  return textReport({ lab: lab.id, name, colours, failuresOnly, print: line => console.log(line) });
}

/** Audits these labs. @returns the exit code */
async function audit(labs: readonly Lab[], seed: number | undefined): Promise<number> {
  const limits = auditLimits();
  const checksOf: Check[][] = [];
  // One after another: check() adds to one list, and ModuleFolder takes what the import has added.
  for (const lab of labs) checksOf.push(await modules.checks(checksFilesOf(lab)));
  const mistyped = await typeMistakes(labs);
  const held = labs.map(() => [] as string[]);
  const disturbed: string[] = [];
  const onDisturbed = (sentence: string) => disturbed.push(sentence);
  let printing = 0;
  // The labs are audited at once, and printed one after another: the lines of a later lab are held.
  const audits = labs.map((lab, i) => {
    const print = (line: string) => (i === printing ? console.log(line) : held[i]!.push(line));
    const types = mistyped.get(lab) ?? [];
    const subject = subjectOf;
    return auditLab({ lab, checks: checksOf[i]!, subject, print, onDisturbed, limits, seed, types });
  });
  for (const one of audits) one.catch(() => {});
  const faults: string[] = [];
  for (const one of audits) {
    for (const line of held[printing]!.splice(0)) console.log(line);
    faults.push(...(await one));
    printing++;
  }
  if (disturbed.length > 0) {
    console.log(`\n${count(disturbed.length, "result")} that other programs disturbed:`);
    for (const sentence of disturbed) console.log(`  ~ ${sentence}`);
  }
  const labCount = count(labs.length, "lab");
  if (faults.length === 0) {
    console.log(`\n${labCount}: all is as the book says.`);
    return 0;
  }
  // The output of many labs is long, and a log may keep its end only.
  console.log(`\n${labCount}, ${count(faults.length, "fault")}:`);
  for (const fault of faults) console.log(`  ✗ ${fault.split("\n").slice(0, 2).join("\n  ")}`);
  return 1;
}

/** Prints one hint. @returns the exit code */
function hint(lab: Lab, id: string, rung: number): number {
  const files = [hintsOf(lab), furtherHintsOf(lab)].filter(one => one !== null);
  const hints = files.find(one => one.ladders.has(id));
  const rungs = hints?.ladders.get(id)?.rungs;
  if (!hints || !rungs)
    throw new UsageError(
      `${lab.id} has no check "${id}" with hints. There are: ${files.flatMap(one => [...one.ladders.keys()]).join(", ")}.`,
    );
  const wanted = rungs[rung - 1];
  if (wanted === undefined)
    throw new UsageError(
      `The check "${id}" has ${count(rungs.length, "hint")}: --rung 1 to ${rungs.length}.`,
    );
  console.log(hints.text.slice(wanted.from, wanted.to).trim());
  if (rung < rungs.length)
    console.log(`\nOne more: npm run check -- ${lab.id} --hint ${id} --rung ${rung + 1}`);
  return 0;
}
