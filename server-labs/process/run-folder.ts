// Run folder. Holds the text of a run while it runs, below a folder that only this user can enter; "workbook/net" resolves
// to this package in it. A lab server that is killed leaves its folders behind; the next lab server sweeps them.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { carrying, isAlive, processFacts, signal } from "./processes.ts";

export interface RunFolder {
  path: string;
  /** Unique on this machine; every process of the run has it in its environment (LAB_RUN). */
  mark: string;
  /** Writes a file that the run's process can read. Its absolute path. @throws as writeFileSync */
  write(name: string, text: string): string;
  remove(): Promise<void>;
}

export class RunFolders {
  /** Names this lab server among all that ever ran on this machine. */
  readonly #instance: string;
  readonly #packageRoot: string;
  readonly #folder: string;
  #made = 0;

  constructor(packageRoot: string) {
    this.#packageRoot = realpathSync(packageRoot);
    const base = privateFolder();
    sweep(base);
    const { pid, started } = processFacts(process.pid)!;
    this.#instance = `${pid}-${started}-${randomBytes(4).toString("hex")}`;
    this.#folder = join(base, this.#instance);
    mkdirSync(this.#folder, { mode: 0o700 });
  }

  create(): RunFolder {
    const name = String(++this.#made);
    const path = join(this.#folder, name);
    mkdirSync(join(path, "node_modules"), { recursive: true });
    symlinkSync(this.#packageRoot, join(path, "node_modules", "workbook"));
    // The sandbox's user is another one; the folder above keeps all other users out. A umask must not matter.
    chmodSync(path, 0o755);
    chmodSync(join(path, "node_modules"), 0o755);
    return {
      path,
      mark: `${this.#instance}/${name}`,
      // Synchronous: it is a small file that a person waits for, and four turns through the thread pool take longer.
      write(name, text) {
        const file = join(path, name);
        writeFileSync(file, text);
        chmodSync(file, 0o644);
        return file;
      },
      remove: () => rm(path, { recursive: true, force: true }),
    };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** <tmp>/socket-workbook-<uid>; another folder when that name belongs to another user. */
function privateFolder(): string {
  const tmp = realpathSync(tmpdir());
  const path = join(tmp, `socket-workbook-${process.getuid!()}`);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch {
    // It is there already; whether it is ours is looked at next.
  }
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory() || stat.uid !== process.getuid!()) return mkdtempSync(`${path}-`);
  chmodSync(path, 0o700);
  return path;
}

/** Removes the folders, and at level "plain" ends the processes, of lab servers that have ended. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const [, pid, started] = /^(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid), started)) continue;
    for (const left of carrying(`LAB_RUN=${name}/`)) signal(left.pid, "SIGKILL");
    rmSync(join(base, name), { recursive: true, force: true });
  }
}
