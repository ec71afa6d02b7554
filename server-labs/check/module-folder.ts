// Module folder. A temporary folder with the JavaScript of programs and checks: the types are stripped, "workbook/…" is
// this package, and stack traces name the author's file. A program's modules are those beside its own file.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { applyDiff, programIn } from "../book.ts";
import { packageRoot } from "../lib/package-root.ts";
import { type Collected, collectModules, strip } from "../modules.ts";
import { sentence } from "../protocol.ts";
import type { StrippedPrograms } from "../runs.ts";
import { type Check, takeDeclared } from "./declarations.ts";
import { StartFailure } from "./outcome.ts";
import { runState } from "./proc.ts";
import type { ReadyProgram } from "./server-process.ts";

const prefix = "socket-workbook-check-";

export class ModuleFolder {
  readonly #folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  /** What the lab server has stripped: with it the compiler, which takes half a second to load, is not needed. */
  readonly #stripped: StrippedPrograms;
  #made = 0;

  /** @param stripped a JSON file with StrippedPrograms */
  constructor(stripped?: string) {
    this.#stripped = stripped === undefined ? { modules: {} } : JSON.parse(readFileSync(stripped, "utf8"));
    removeAbandoned();
    mkdirSync(join(this.#folder, "node_modules"));
    symlinkSync(packageRoot, join(this.#folder, "node_modules", "workbook"));
  }

  /** Is its text known, whatever is on the disk? */
  knows(file: string): boolean {
    return Object.hasOwn(this.#stripped.modules, file);
  }

  /**
   * Makes a program ready to run.
   * @param file absolute path of the TypeScript, or of a mutant's diff, which is applied to the lab's solution
   * @throws StartFailure with file, line and column when the text is not TypeScript, or a module is missing
   */
  async program(file: string): Promise<ReadyProgram> {
    const name = addressOf(file);
    const modules = this.knows(file) ? this.#stripped.modules : await collected(file, name);
    const number = this.#made++;
    const program = join(this.#folder, `${number}-${basename(name)}.mjs`);
    writeFileSync(program, modules[name]!);
    const { [name]: _, ...further } = modules;
    const files = [name, ...Object.keys(further)].map(path => relative(dirname(name), path));
    if (files.length === 1) return { file: program, name, files };
    const list = join(this.#folder, `${number}-modules.json`);
    writeFileSync(list, JSON.stringify(further));
    return { file: program, modules: list, name, files };
  }

  /** Imports these checks.ts of a lab, and returns what they declare. */
  async checks(files: readonly string[]): Promise<Check[]> {
    takeDeclared();
    for (const file of files) {
      const javascript = this.#stripped.checks?.[file] ?? (await strippedChecks(file));
      // One name for each module, because Node caches modules by their path.
      const path = join(this.#folder, `${this.#made++}-${basename(file).replace(/\.ts$/, ".mjs")}`);
      writeFileSync(path, `${javascript}\n//# sourceURL=${pathToFileURL(file)}\n`);
      await import(pathToFileURL(path).href);
    }
    return takeDeclared();
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The JavaScript of a program's files, by absolute path. @param name the path of the file that starts */
async function collected(file: string, name: string): Promise<Record<string, string>> {
  const read = async (path: string) =>
    statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : null;
  const found = await collectModules({
    entry: name,
    text: programOf(file),
    folder: dirname(name),
    open: true,
    read,
  });
  if ("reason" in found) throw failureOf(found, basename(name));
  return Object.fromEntries([...found.modules].map(([path, { javascript }]) => [path, javascript]));
}

async function strippedChecks(file: string): Promise<string> {
  const stripped = await strip(basename(file), readFileSync(file, "utf8"));
  if ("reason" in stripped) throw failureOf(stripped, basename(file));
  return stripped.javascript;
}

/** @param main the file that starts */
function failureOf({ statement }: Extract<Collected, { reason: unknown }>, main: string): StartFailure {
  const { line, file = main } = "line" in statement ? statement : {};
  const place = { ...(line === undefined ? {} : { line }), ...(file === main ? {} : { file }) };
  return new StartFailure(sentence(statement), [], place);
}

/** The solution of the lab to which a mutant, or another good answer, belongs; null for any other file. */
const solutionOf = (file: string) =>
  /^(mutants|alternatives)$/.test(basename(dirname(file)))
    ? programIn(dirname(dirname(file)), "solution")
    : null;

/**
 * Where a program runs, as it were. One that belongs to a lab imports the modules of the lab's solution. Stack traces name
 * the program of a diff NAME.ts, with the lines of the whole program.
 */
function addressOf(file: string): string {
  const solution = solutionOf(file);
  return solution === null ? file : join(dirname(solution), basename(file).replace(/\.diff$/, ".ts"));
}

/** The text of a program. */
function programOf(file: string): string {
  const text = readFileSync(file, "utf8");
  if (!file.endsWith(".diff")) return text;
  const made = applyDiff(text, readFileSync(solutionOf(file) ?? "", "utf8"));
  if ("program" in made) return made.program;
  const [{ line, column, sentence }] = made.mistakes as [(typeof made.mistakes)[0]];
  throw new StartFailure(`${basename(file)}:${line}:${column}: ${sentence}`, []);
}

/** Removes the folders of checkers that were killed: the folder's name contains the process number. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    // A name of another shape stays: its number would be NaN, and would look like a process that has ended.
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split("-")[0]) : 0;
    if (!(pid > 0) || runState(pid) !== null) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // The folder belongs to another user, whose next checker removes it.
    }
  }
}
