// Files that a check brings along: the server runs in a folder of its own that holds them, and nothing of it is
// left afterwards. So a check knows every octet that may come back, and may change what nobody else sees.
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
import type { Runnable } from "./program.ts";

/** What lies at a path: text, octets, a symbolic link to somewhere, or a FIFO. */
export type SiteFile = string | Uint8Array | { link: string } | { fifo: true };
/** Paths below the folder in which the server runs: "html/index.html". */
export type Files = Record<string, SiteFile>;

export class Site {
  /** The folder in which the server runs. */
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "socket-workbook-site-")));

  constructor(files: Files) {
    for (const [path, file] of Object.entries(files)) this.#make(path, file);
  }

  /** Writes a file anew, in place; it is there with its new content when this returns. */
  write(path: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, path), content);
  }

  /**
   * The same program, run here. A command finds beside itself what it would have found where it was given:
   * "python3 server.py {port}" is about a file there.
   */
  around(subject: Runnable): Runnable {
    if (subject.kind === "command") {
      const mine = new Set(readdirSync(this.folder));
      for (const name of readdirSync(subject.cwd)) {
        if (!mine.has(name)) symlinkSync(join(subject.cwd, name), join(this.folder, name));
      }
    }
    return { ...subject, cwd: this.folder };
  }

  remove(): void {
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
      if (status !== 0) throw new Error(`no FIFO could be made: ${error?.message ?? stderr}`);
    }
  }
}
