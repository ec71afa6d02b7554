// Lab folder. Reads lesson/lab as text, without running it: the checks that checks.ts declares, and the check that must
// catch each mutant. Ids and titles must therefore be literals.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type LabId, suggestion } from "../protocol.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { applyDiff, caughtBy } from "./mutant.ts";
import { type BookProblem, place } from "./problem.ts";
import { type DeclaredRival, readRivals } from "./rivals.ts";

type Report = (file: string, mistake: Omit<BookProblem, "file">) => void;

/** The student's file that runs. */
export const labFile = "server.ts";

/**
 * A program in a lab's folder: NAME.ts, or NAME/server.ts with the other files of its folder.
 * @returns the path of the file that runs; null without one
 */
export function programIn(labFolder: string, name: "starter" | "solution"): string | null {
  const paths = [join(labFolder, `${name}.ts`), join(labFolder, name, labFile)];
  return paths.find(path => existsSync(path)) ?? null;
}

/** What a student's folder holds that starts from this program: the file that runs, and what lies beside it in its folder. */
export function filesOf(program: string): { file: string; starter: string }[] {
  const main = { file: labFile, starter: program };
  if (basename(program) !== labFile) return [main];
  const others = readdirSync(dirname(program), { withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== labFile && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
  return [main, ...others.map(file => ({ file, starter: join(dirname(program), file) }))];
}

/** A check as its file declares it. */
export interface DeclaredCheck {
  id: string;
  title: string;
  /** What it sends and what it expects: the doc comment above it, on one line; null without one. */
  tests: string | null;
  /** The words of the line of dashes above it, `// ---- many clients`; left out where there is no such line. */
  group?: string;
  /** The earlier lab that declares it, with its hints and mutants; left out when this lab does. */
  from?: LabId;
}

export interface LabFolder {
  starter: string | null;
  solution: string;
  checksFile: string;
  /** Those that its checks.ts declares. */
  checks: DeclaredCheck[];
  mutants: { file: string; caughtBy: string }[];
  rivals: DeclaredRival[];
}

/** What was read of each lab's folder, and the fingerprint that the folder had. */
export type LabMemory = Map<string, { print: string; lab: LabFolder | null; reports: Parameters<Report>[] }>;

/**
 * Reads `<lesson>/lab`; null after reporting that a file is missing without which it is not a lab.
 * @param memory a folder that is as it was is not read again
 * @param further the checks of the lab that this one passes, too
 */
export function readLabFolder(
  folder: string,
  report: Report,
  memory: LabMemory,
  further: readonly DeclaredCheck[] = [],
): LabFolder | null {
  const print = `${further.map(({ id }) => id)}\n${fingerprintOf(folder)}`;
  let known = memory.get(folder);
  if (known?.print !== print) {
    const reports: Parameters<Report>[] = [];
    known = { print, lab: read(folder, further, (...mistake) => reports.push(mistake)), reports };
    memory.set(folder, known);
  }
  for (const mistake of known.reports) report(...mistake);
  return known.lab;
}

function read(folder: string, further: readonly DeclaredCheck[], report: Report): LabFolder | null {
  const file = (name: string) => join(folder, name);
  const solution = programIn(folder, "solution");
  for (const [name, there] of [
    ["solution.ts", solution !== null],
    ["checks.ts", existsSync(file("checks.ts"))],
  ] as const)
    if (!there) {
      report(file(name), { line: 1, column: 1, sentence: `A lab has a ${name}, and this file is missing.` });
      return null;
    }
  const checksFile = file("checks.ts");
  const checks = declaredChecks(readFileSync(checksFile, "utf8"), further, m => report(checksFile, m));
  return {
    starter: programIn(folder, "starter"),
    solution: solution!,
    checksFile,
    checks,
    mutants: mutants(file("mutants"), solution!, [...further, ...checks], report),
    rivals: readRivals(file("rivals"), report),
  };
}

// Comments, strings and templates are stepped over whole, so that a check in a comment or a string does not count.
const token =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<![.\w$])check[ \t]*\(/g;
const literal = /\s*("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\$])*`)\s*(,?)/y;

/** All `check("id", "title", …)` in a source, in order. @param further checks whose ids are taken */
function declaredChecks(
  source: string,
  further: readonly DeclaredCheck[],
  report: (mistake: Omit<BookProblem, "file">) => void,
): DeclaredCheck[] {
  const checks: DeclaredCheck[] = [];
  let comment: { words: string; end: number } | null = null;
  let group: string | undefined;
  for (const match of source.matchAll(token)) {
    const end = match.index + match[0].length;
    if (match[0].startsWith("/**")) comment = { words: wordsOf(match[0]), end };
    group = /^\/\/ ?-{4,} ?(.*\S)/.exec(match[0])?.[1] ?? group;
    if (!match[0].startsWith("check")) continue;
    const above = comment && source.slice(comment.end, match.index).trim() === "" ? comment.words : "";
    const id = literalAt(source, match.index + match[0].length);
    const title = id?.comma ? literalAt(source, id.end) : null;
    const mistake = (sentence: string) => report({ ...place(source, match.index), sentence });
    if (!id || !title)
      mistake(`A check is written check("id", "title", …) with both as plain strings: the page lists them.`);
    else if (!/^[a-z0-9][a-z0-9-]*$/.test(id.value))
      mistake(`"${id.value}" is not an id for a check: use small letters, digits and hyphens only.`);
    else if ([...further, ...checks].some(c => c.id === id.value))
      mistake(`There are two checks with the id "${id.value}".`);
    else checks.push({ id: id.value, title: title.value, tests: above || null, ...(group && { group }) });
  }
  if (checks.length === 0) report({ line: 1, column: 1, sentence: "This file declares no check." });
  return checks;
}

/** The words of a doc comment on one line. */
const wordsOf = (comment: string) =>
  comment
    .slice(3, -2)
    .replaceAll(/^\s*\*/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();

function literalAt(source: string, offset: number) {
  literal.lastIndex = offset;
  const match = literal.exec(source);
  if (!match) return null;
  const value = match[1]!.slice(1, -1).replace(/\\(.)/g, "$1");
  return { value, comma: match[2] === ",", end: literal.lastIndex };
}

function mutants(folder: string, program: string, checks: { id: string }[], report: Report) {
  const found: { file: string; caughtBy: string }[] = [];
  if (!existsSync(folder)) return found;
  const solution = readFileSync(program, "utf8");
  for (const name of readdirSync(folder)
    .filter(n => n.endsWith(".ts") || n.endsWith(".diff"))
    .sort()) {
    const file = join(folder, name);
    const text = readFileSync(file, "utf8");
    const named = caughtBy(text);
    if (!named)
      report(file, { line: 1, column: 1, sentence: "A mutant's first line is: // caught by: <check id>" });
    else if (!checks.some(c => c.id === named.id)) {
      const ids = checks.map(c => c.id);
      const sentence = `No check has the id "${named.id}".${suggestion(named.id, ids, "checks of this lab")}`;
      report(file, { line: 1, column: named.column, sentence });
    } else found.push({ file, caughtBy: named.id });
    const made = name.endsWith(".diff") ? applyDiff(text, solution) : null;
    if (made && "mistakes" in made) for (const mistake of made.mistakes) report(file, mistake);
  }
  return found;
}
