// A process that waits for its program: it is in its sandbox already, with the runtime loaded, asleep in read(2). Every
// program begins in one. A cold start makes it and waits; a warm start finds it made, and that is all the difference.
import { closeSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type Launched, launch } from "./launch.ts";
import { isAlive, processFacts } from "./processes.ts";
import type { RunFolder, RunFolders } from "./run-folder.ts";
import { packageParts, type Reach, type SandboxLevel } from "./sandbox.ts";
import { createTraceMemory } from "./trace-memory.ts";

/** All that must be known of a program before it is: what its sandbox shows it cannot be changed later. */
export interface Setting {
  sandbox: SandboxLevel;
  packageRoot: string;
  /** The lab's folder in the workspace: where it runs, and the only place that it may change. */
  workspace: string;
  descriptors: number;
}

export const heapMegabytes = 256;

export class Spare {
  /** Its own, and the only place where it finds what to run. */
  readonly folder: RunFolder;
  /** Where it will write its calls (createTraceMemory); whoever uses the spare closes it. */
  readonly memory: number;
  readonly #tree: Promise<Launched>;
  /** It has nothing left to do but to wait. False when it ended before. */
  readonly ready: Promise<boolean>;
  readonly #fingerprint: string;
  #process: { pid: number; started: string } | null = null;
  #over = false;
  #used = false;
  #stopLooking = () => {};

  /** Starts it. @throws when there is no room for its folder or its trace */
  constructor(setting: Setting, folders: RunFolders) {
    // Before it starts: what changes while it loads counts as changed.
    this.#fingerprint = fingerprint(setting);
    this.folder = folders.create();
    this.memory = createTraceMemory();
    const root = realpathSync(setting.packageRoot);
    const entry = join(root, "dist", "server-labs", "runtime", "program.js");
    this.#tree = launch({
      sandbox: setting.sandbox,
      command: [realpathSync(process.execPath), `--max-old-space-size=${heapMegabytes}`, entry],
      reach: reachOf(setting, this.folder),
      variables: { LAB_CONTROL_FD: "3", LAB_TRACE_FD: "4" },
      mark: this.folder.mark,
      descriptors: ["pipe", this.memory],
    });
    this.ready = this.#tree.then(
      tree => this.#untilReady(tree),
      () => this.#ended(),
    );
  }

  /** Has it become a program? */
  get used(): boolean {
    return this.#used;
  }

  /** Its process, once it is ready. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Is it alive, and does it see what a process would see that is started now? */
  fits(setting: Setting): boolean {
    const lives =
      !this.#over && (this.#process === null || isAlive(this.#process.pid, this.#process.started));
    return lives && this.#fingerprint === fingerprint(setting);
  }

  /** It is to become a program. Rejects with a sentence when it could not be started. */
  use(): Promise<Launched> {
    this.#used = true;
    this.#stopLooking();
    return this.#tree;
  }

  /** Ends it, if it has not ended, and takes its folder away. */
  async end(): Promise<void> {
    const tree = await this.#tree.catch(() => null);
    if (!this.#over) tree?.kill();
    await tree?.ended;
    await this.folder.remove();
  }

  /** Ends one that was never used. */
  discard(): Promise<void> {
    closeSync(this.memory);
    return this.end();
  }

  #untilReady(tree: Launched): Promise<boolean> {
    void tree.ended.then(() => this.#ended());
    const control = tree.pipes[0] as Duplex;
    return new Promise(resolve => {
      const look = () => {
        // Off, or it would keep the pipe from flowing. And not "data": what was said stays there for the run to read.
        control.off("readable", look);
        const pid = this.#used || this.#over ? null : tree.program();
        if (pid !== null) this.#process = { pid, started: processFacts(pid)?.started ?? "" };
        resolve(pid !== null);
      };
      this.#stopLooking = look;
      if (this.#used) return look();
      control.on("readable", look);
      void tree.ended.then(look);
    });
  }

  #ended(): false {
    this.#over = true;
    return false;
  }
}

function reachOf({ packageRoot, workspace, descriptors }: Setting, folder: RunFolder): Reach {
  const cwd = realpathSync(workspace);
  return { cwd, readable: [...packageParts(packageRoot), folder.path], writable: [cwd], descriptors };
}

/**
 * Two settings with the same fingerprint make the same process. Folders are taken by their inode and birth: one that was
 * removed and made again is not the one that the sandbox shows, and may have got its number. Files that are loaded are
 * taken by their time.
 */
function fingerprint({ sandbox, packageRoot, workspace, descriptors }: Setting): string {
  const built = join(packageRoot, "dist", "server-labs");
  const runtime = join(built, "runtime");
  const loaded = [
    ...list(runtime)
      .filter(name => name.endsWith(".js"))
      .map(name => join(runtime, name)),
    ...[join(built, "trace-layout.js"), join(packageRoot, "package.json"), process.execPath],
  ];
  const seen = [
    ...[workspace, join(workspace, "html")],
    ...["dist", "node_modules", "node_modules/koffi", "html"].map(part => join(packageRoot, part)),
  ];
  return [
    ...[sandbox.level, sandbox.sentence, workspace, String(descriptors)],
    ...loaded.map(path => stamp(path, true)),
    ...seen.map(path => stamp(path, false)),
  ].join("\n");
}

function stamp(path: string, content: boolean): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return "none";
  const { dev, ino, size, mtimeMs, birthtimeMs } = stat;
  return content ? `${dev}:${ino}:${size}:${mtimeMs}` : `${dev}:${ino}:${birthtimeMs}`;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not built: then there is nothing to start either, and that is said where it is tried
  }
}
