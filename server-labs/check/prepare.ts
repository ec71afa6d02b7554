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
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { strip } from "../strip.ts";
import { type Check, takeDeclared } from "./check.ts";
import { StartFailure } from "./failure.ts";
import { packageRoot } from "./package-root.ts";
import { processState } from "./proc.ts";

const prefix = "socket-workbook-check-";

export class Workshop {
  readonly #folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  #made = 0;

  constructor() {
    sweep();
    mkdirSync(join(this.#folder, "node_modules"));
    symlinkSync(packageRoot, join(this.#folder, "node_modules", "workbook"));
  }

  /**
   * A module that Node can import.
   * @param file absolute path of the TypeScript
   * @throws StartFailure with file, line and column when it is none
   */
  async module(file: string): Promise<string> {
    const shown = basename(file);
    const stripped = await strip(shown, readFileSync(file, "utf8"));
    if (!("javascript" in stripped)) {
      throw new StartFailure(stripped.sentence, [], { line: stripped.line });
    }
    // One folder for each, so that a module is never taken for the one that had its name before.
    const path = join(this.#folder, `${this.#made++}-${shown.replace(/\.ts$/, ".mjs")}`);
    writeFileSync(path, `${stripped.javascript}\n//# sourceURL=${pathToFileURL(file)}\n`);
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
