// Spare. A process that waits for its program: it is already in its sandbox, with the runtime loaded, asleep in read(2).
// Every program starts in one. A cold start makes the spare and waits; a warm start finds it made.
import { closeSync, lstatSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { programFlags } from "../lib/node-flags.ts";
import { createTraceMemory } from "../trace.ts";
import { type Launched, launch } from "./launch.ts";
import { moduleGraph } from "./module-graph.ts";
import { isAlive, processFacts } from "./processes.ts";
import type { RunFolder, RunFolders } from "./run-folder.ts";
import { packageParts, type Reach, type SandboxLevel, workspaceParts } from "./sandbox-level.ts";

/** What must be known of a program before it starts: its sandbox cannot be changed later. */
export interface Setting {
  sandbox: SandboxLevel;
  packageRoot: string;
  /** The lab's folder in the workspace: where it runs, and the only place that it may change. */
  workspace: string;
  descriptors: number;
}

export class Spare {
  /** Its own folder, and the only place where it finds the program to run. */
  readonly folder: RunFolder;
  /** Where it will write its calls (createTraceMemory); the user of the spare closes it. */
  readonly memory: number;
  readonly #tree: Promise<Launched>;
  /** True when it waits for its program, false when it ended before. */
  readonly ready: Promise<boolean>;
  readonly #fingerprint: string;
  #process: { pid: number; started: string } | null = null;
  #over = false;
  #used = false;
  #stopWaiting = () => {};

  /** @throws the file system's error when there is no room for its folder or its trace */
  constructor(setting: Setting, folders: RunFolders) {
    // Before it starts: a file that changes while the spare loads counts as changed.
    this.#fingerprint = fingerprint(setting);
    this.folder = folders.create();
    this.memory = createTraceMemory();
    const root = realpathSync(setting.packageRoot);
    const entry = entryOf(root);
    this.#tree = launch({
      sandbox: setting.sandbox,
      command: [realpathSync(process.execPath), ...programFlags, entry],
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

  /** Is it alive, and would a process that is started now be the same? */
  fits(setting: Setting): boolean {
    const lives =
      !this.#over && (this.#process === null || isAlive(this.#process.pid, this.#process.started));
    return lives && this.#fingerprint === fingerprint(setting);
  }

  /** Makes it a program. Rejects with a sentence when it could not be started. */
  use(): Promise<Launched> {
    this.#used = true;
    this.#stopWaiting();
    return this.#tree;
  }

  /** Ends it, if it has not ended, and removes its folder. */
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
        // Removed, or it would keep the pipe from flowing. Not "data": what the spare has sent stays for the run to read.
        control.off("readable", look);
        const pid = this.#used || this.#over ? null : tree.program();
        if (pid !== null) this.#process = { pid, started: processFacts(pid)?.started ?? "" };
        resolve(pid !== null);
      };
      this.#stopWaiting = look;
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
  const readable = [...packageParts(packageRoot), ...workspaceParts(cwd), folder.path];
  return { cwd, readable, writable: [cwd], descriptors };
}

const entryOf = (packageRoot: string) => join(packageRoot, "dist", "server-labs", "runtime", "program.js");

/**
 * Two settings with the same fingerprint make the same process. Folders are taken by their inode and birth: one that was
 * removed and made again is not the one that the sandbox shows, and may have got its number. Files that are loaded are
 * taken by their time.
 */
function fingerprint({ sandbox, packageRoot, workspace, descriptors }: Setting): string {
  const seen = [
    ...[workspace, ...workspaceParts(workspace)],
    ...["dist", "node_modules", "node_modules/koffi", "html"].map(part => join(packageRoot, part)),
  ];
  return [
    ...[sandbox.level, JSON.stringify(sandbox.statement), workspace, String(descriptors)],
    ...[join(packageRoot, "package.json"), process.execPath].map(path => stamp(path, true)),
    ...stampsOfRuntime(packageRoot),
    ...seen.map(path => stamp(path, false)),
    // A program may have made a link of it, to a file system that does not answer.
    stamp(join(workspace, "html"), false, lstatSync),
  ].join("\n");
}

/** Of each built runtime, the stamps of the files that a spare loads, as they were found last. */
const runtimes = new Map<string, Map<string, string>>();

/**
 * The stamp of each file that a spare loads of the build. As long as all of them are what they were, they import what
 * they did: to look at their times is enough, and a warm start does not wait until 30 files are read.
 */
function stampsOfRuntime(packageRoot: string): Iterable<string> {
  const known = runtimes.get(packageRoot);
  if (known && [...known].every(([file, before]) => stamp(file, true) === before)) return known.values();
  const stamps = new Map<string, string>();
  // The time first, then the text: a file that changes in between counts as changed.
  moduleGraph(entryOf(packageRoot), file => stamps.set(file, stamp(file, true)));
  runtimes.set(packageRoot, stamps);
  return stamps.values();
}

function stamp(path: string, content: boolean, look: typeof statSync = statSync): string {
  const stat = look(path, { throwIfNoEntry: false });
  if (!stat) return "none";
  const { dev, ino, size, mtimeMs, birthtimeMs } = stat;
  return content ? `${dev}:${ino}:${size}:${mtimeMs}` : `${dev}:${ino}:${birthtimeMs}`;
}
