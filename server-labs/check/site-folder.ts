// Site folder. A temporary folder with the files that a check brings, in which its server runs: so the check knows every
// byte that may come back, and may change a file without an effect on other checks.
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Runnable } from "./server-process.ts";

/** One entry of the folder: text, bytes, a symbolic link, or a FIFO. */
export type SiteFile = string | Uint8Array | { link: string } | { fifo: true };
/** Entries by their paths below the folder in which the server runs: "html/index.html". */
export type SiteFiles = Record<string, SiteFile>;

/** All that are there: each must be removed before this process ends. */
const there = new Set<SiteFolder>();

export class SiteFolder {
  /** The absolute path. */
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "socket-workbook-site-")));

  constructor(files: SiteFiles) {
    there.add(this);
    for (const [path, file] of Object.entries(files)) this.#make(path, file);
  }

  /** Overwrites a file in place; the file has its new content when this returns. */
  write(path: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, path), content);
  }

  /**
   * The same program with this folder as its working directory. For a command the folder gets links to everything in
   * the command's own directory: "python3 server.py {port}" needs a file there.
   */
  around(subject: Runnable): Runnable {
    if (subject.kind === "command") {
      const own = new Set(readdirSync(this.folder));
      for (const name of readdirSync(subject.cwd)) {
        if (!own.has(name)) symlinkSync(join(subject.cwd, name), join(this.folder, name));
      }
    }
    return { ...subject, cwd: this.folder };
  }

  remove(): void {
    there.delete(this);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #make(path: string, file: SiteFile): void {
    const whole = join(this.folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    if (typeof file === "string" || file instanceof Uint8Array) writeFileSync(whole, file);
    else if ("link" in file) symlinkSync(file.link, whole);
    else {
      // Node has no mkfifo(3) of its own.
      const { status, error, stderr } = spawnSync("mkfifo", [whole], { encoding: "utf8" });
      if (status !== 0) throw new Error(`mkfifo ${whole} failed: ${error?.message ?? stderr}`);
    }
  }
}

/** Removes every site folder at once, before this process ends. */
export function removeSiteFolders(): void {
  for (const folder of there) folder.remove();
}
