// TypeScript made ready to import: types taken away, in a folder of its own in which "workbook/…" is this very
// package. The name in stack traces stays that of the file as its author knows it.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { applyDiff } from "../book/mutant.ts";
import { strip } from "../strip.ts";
import { type Check, takeDeclared } from "./check.ts";
import { StartFailure } from "./failure.ts";
import { packageRoot } from "./package-root.ts";
import { processState } from "./proc.ts";

const prefix = "socket-workbook-check-";

export class Workshop {
  readonly #folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  /** Programs of which somebody has taken the types away already: JavaScript by TypeScript. */
  readonly #stripped: ReadonlyMap<string, string>;
  #made = 0;

  /** @param stripped a file of JSON: pairs of TypeScript and JavaScript. The compiler takes half a second to load. */
  constructor(stripped?: string) {
    this.#stripped = new Map(stripped === undefined ? [] : JSON.parse(readFileSync(stripped, "utf8")));
    sweep();
    mkdirSync(join(this.#folder, "node_modules"));
    symlinkSync(packageRoot, join(this.#folder, "node_modules", "workbook"));
  }

  /**
   * A module that Node can import.
   * @param file absolute path of the TypeScript; or of a mutant's diff, whose program is the solution so edited
   * @throws StartFailure with file, line and column when it is none
   */
  async module(file: string): Promise<string> {
    // Stack traces of a diff's program name it as if it were written out: lines are those of the whole program.
    const source = file.replace(/\.diff$/, ".ts");
    const shown = basename(source);
    const program = programOf(file);
    const known = this.#stripped.get(program);
    const stripped = known === undefined ? await strip(shown, program) : { javascript: known };
    if (!("javascript" in stripped)) {
      throw new StartFailure(stripped.sentence, [], { line: stripped.line });
    }
    // One folder for each, so that a module is never taken for the one that had its name before.
    const path = join(this.#folder, `${this.#made++}-${shown.replace(/\.ts$/, ".mjs")}`);
    writeFileSync(path, `${stripped.javascript}\n//# sourceURL=${pathToFileURL(source)}\n`);
    return path;
  }

  /** What a lab's checks.ts declares. */
  async checks(file: string): Promise<Check[]> {
    takeDeclared();
    await import(pathToFileURL(await this.module(file)).href);
    return takeDeclared();
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The text of a program. A diff is about the solution.ts above its folder, as in a lab. */
function programOf(file: string): string {
  const text = readFileSync(file, "utf8");
  if (!file.endsWith(".diff")) return text;
  const made = applyDiff(text, readFileSync(join(dirname(file), "..", "solution.ts"), "utf8"));
  if ("program" in made) return made.program;
  const [{ line, column, sentence }] = made.mistakes as [(typeof made.mistakes)[0]];
  throw new StartFailure(`${basename(file)}:${line}:${column}: ${sentence}`, []);
}

/** Removes what checkers left behind that were killed: the folder's name has the process. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    // A name of another shape is not ours to judge: NaN is nobody's process, and would look dead.
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split("-")[0]) : 0;
    if (!(pid > 0) || processState(pid) !== null) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's, who will sweep it.
    }
  }
}
