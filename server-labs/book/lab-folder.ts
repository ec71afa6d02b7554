// What a lab folder holds, read as text and never run: the checks that checks.ts declares, and which check
// each mutant says must catch it. Ids and titles are therefore literals, and this file insists on it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { applyDiff, caughtBy } from "./mutant.ts";
import { type Problem, place, suggestion } from "./problem.ts";

type Report = (file: string, mistake: Omit<Problem, "file">) => void;

export interface LabFolder {
  starter: string | null;
  solution: string;
  checksFile: string;
  checks: { id: string; title: string }[];
  mutants: { file: string; caughtBy: string }[];
}

/** Reads `<lesson>/lab`; null after reporting what makes it no lab at all. */
export function readLabFolder(folder: string, report: Report): LabFolder | null {
  const file = (name: string) => join(folder, name);
  for (const name of ["solution.ts", "checks.ts"])
    if (!existsSync(file(name))) {
      report(file(name), { line: 1, column: 1, sentence: `A lab has a ${name}, and this file is missing.` });
      return null;
    }
  const starter = existsSync(file("starter.ts")) ? file("starter.ts") : null;
  const checksFile = file("checks.ts");
  const checks = declaredChecks(readFileSync(checksFile, "utf8"), m => report(checksFile, m));
  return {
    starter,
    solution: file("solution.ts"),
    checksFile,
    checks,
    mutants: mutants(file("mutants"), checks, report),
  };
}

// Comments, strings and templates are stepped over whole, so that a check that is only talked about is none.
const token =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<![.\w$])check[ \t]*\(/g;
const literal = /\s*("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\$])*`)\s*(,?)/y;

/** The ids and titles of all `check("id", "title", …)` in a source, in order. */
function declaredChecks(
  source: string,
  report: (mistake: Omit<Problem, "file">) => void,
): { id: string; title: string }[] {
  const checks: { id: string; title: string }[] = [];
  for (const match of source.matchAll(token)) {
    if (!match[0].startsWith("check")) continue;
    const id = literalAt(source, match.index + match[0].length);
    const title = id?.comma ? literalAt(source, id.end) : null;
    const mistake = (sentence: string) => report({ ...place(source, match.index), sentence });
    if (!id || !title)
      mistake(`A check is written check("id", "title", …) with both as plain strings: the page lists them.`);
    else if (!/^[a-z0-9][a-z0-9-]*$/.test(id.value))
      mistake(`"${id.value}" is no id for a check: small letters, digits and hyphens only.`);
    else if (checks.some(c => c.id === id.value)) mistake(`There are two checks with the id "${id.value}".`);
    else checks.push({ id: id.value, title: title.value });
  }
  if (checks.length === 0) report({ line: 1, column: 1, sentence: "This file declares no check." });
  return checks;
}

function literalAt(source: string, offset: number) {
  literal.lastIndex = offset;
  const match = literal.exec(source);
  if (!match) return null;
  const value = match[1]!.slice(1, -1).replace(/\\(.)/g, "$1");
  return { value, comma: match[2] === ",", end: literal.lastIndex };
}

function mutants(folder: string, checks: { id: string }[], report: Report) {
  const found: { file: string; caughtBy: string }[] = [];
  if (!existsSync(folder)) return found;
  const solution = readFileSync(join(folder, "..", "solution.ts"), "utf8");
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
