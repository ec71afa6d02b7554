// Cgroup. The kernel's bound of all that the processes of one run have together: cgroups(7), version 2. It works where the
// lab server's own cgroup is delegated to it; elsewhere there is no Cgroups, and the watchdog alone bounds a run.
// A cgroup whose children have controllers may hold no process itself, so the lab server moves to a leaf beside the runs.
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { type ExceededStatement, limits } from "../protocol.ts";
import { until } from "./process-tree.ts";
import { descendsFrom, isAlive, processFacts } from "./processes.ts";

const controllers = ["memory", "pids"];
/** The leaf with the lab server and what started it; a lab server that is started again finds itself in it. */
const leaf = "socket-workbook";
/** While processes are moved they may start others; what is left after so many rounds is given up. */
const rounds = 5;
const megabyte = 1024 * 1024;

/** Where the cgroups of runs are made. */
export class Cgroups {
  readonly #folder: string;

  /** @param folder a delegated cgroup without a process of its own */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param mark unique on this machine. @throws the file system's error when there can be no cgroup */
  create(mark: string): Cgroup {
    // A manager of cgroups may have disabled them again. To write waits until removed cgroups are gone: only when needed.
    const enabled = readIn(this.#folder, "cgroup.subtree_control").trim().split(" ");
    if (!controllers.every(name => enabled.includes(name)))
      writeFileSync(
        join(this.#folder, "cgroup.subtree_control"),
        controllers.map(name => `+${name}`).join(" "),
      );
    return new Cgroup(join(this.#folder, `run-${mark.replaceAll("/", "-")}`));
  }

  /** Ends and removes what lab servers that have ended left behind. */
  async sweep(): Promise<void> {
    for (const name of readdirSync(this.#folder)) {
      const [, pid, started] = /^run-(\d+)-(\d+)-/.exec(name) ?? [];
      if (pid !== undefined && !isAlive(Number(pid), started)) await remove(join(this.#folder, name));
    }
  }
}

/** The cgroup of one run: its limits are there before its first process is. */
export class Cgroup {
  readonly #folder: string;
  #exceeded: ExceededStatement | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder);
    // Swap would let a run have more than its memory; and a run is ended whole, not one process of it.
    const bounds = {
      "memory.max": limits.runMemoryBytes,
      "memory.swap.max": 0,
      "memory.oom.group": 1,
      "pids.max": limits.runThreads,
    };
    for (const [file, bound] of Object.entries(bounds)) writeFileSync(join(folder, file), String(bound));
  }

  /** The command line whose process enters the cgroup and then becomes this command. */
  enter(command: string[]): string[] {
    return ["/bin/sh", "-c", 'echo 0 > "$0" && exec "$@"', join(this.#folder, "cgroup.procs"), ...command];
  }

  /** What the run had too much of. When it was memory, the kernel has ended the run: to be asked after its end. */
  exceeded(): ExceededStatement | null {
    this.#exceeded ??= exceededOf(readIn(this.#folder, "memory.events"), readIn(this.#folder, "pids.events"));
    return this.#exceeded;
  }

  /** Has the run been refused a thread? */
  lacksThreads(): boolean {
    return countOf(readIn(this.#folder, "pids.events"), "max") > 0;
  }

  /** Ends all its processes with SIGKILL. */
  kill(): void {
    killIn(this.#folder);
  }

  /** Ends what is left of the run and removes its cgroup. exceeded() has its answer for good. Never rejects. */
  async end(): Promise<void> {
    this.exceeded();
    await remove(this.#folder);
  }
}

/** The cgroups of this lab server; null where its own cgroup is not delegated to it. Moves its processes into a leaf. */
export async function findCgroups(): Promise<Cgroups | null> {
  try {
    const own = cgroupFolder(readIn("/proc/self", "cgroup"), readIn("/proc/self", "mountinfo"));
    const facts = processFacts(process.pid);
    if (own === null || facts === null) return null;
    const folder = basename(own) === leaf ? dirname(own) : own;
    // The shell of a terminal has a group of its own: neither it nor what else runs beside it is moved.
    const isOurs = (pid: number) =>
      processFacts(pid)?.group === facts.group || descendsFrom(pid, process.pid);
    if (!isDelegated(folder, isOurs)) return null;
    await mkdir(join(folder, leaf), { recursive: true });
    for (let round = 0; round < rounds; round++)
      for (const pid of processesIn(folder).filter(isOurs))
        await writeFile(join(folder, leaf, "cgroup.procs"), String(pid)).catch(() => {}); // it has ended
    const cgroups = new Cgroups(folder);
    await cgroups.sweep();
    // What the sandbox's sentence will say is tried first.
    await cgroups.create(`${facts.pid}-${facts.started}-trial`).end();
    return cgroups;
  } catch {
    return null; // the kernel refuses a move, a controller or a limit
  }
}

/**
 * The folder of a process's cgroup of version 2; null where none is mounted that has it.
 * @param cgroup what its /proc/<pid>/cgroup holds
 * @param mountinfo what its /proc/<pid>/mountinfo holds; proc_pid_mountinfo(5)
 */
export function cgroupFolder(cgroup: string, mountinfo: string): string | null {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  // A path with ".." leads out of the cgroup namespace.
  const isInside = (path: string) => !path.split("/").includes("..");
  if (path === undefined || !isInside(path)) return null;
  for (const line of mountinfo.split("\n")) {
    const [mount = "", fileSystem = ""] = line.split(" - ");
    if (!fileSystem.startsWith("cgroup2 ")) continue;
    const [root = "", point = ""] = mount.split(" ").slice(3, 5).map(unescaped);
    const below = relative(root, path);
    if (isInside(root) && isInside(below)) return join(point, below);
  }
  return null;
}

/**
 * May a lab server put its runs into cgroups below this one?
 * @param isOurs does this process belong to the lab server, or to what started it alone?
 */
export function isDelegated(folder: string, isOurs: (pid: number) => boolean): boolean {
  try {
    // The root of the whole machine has no type, and a threaded one has no bound of memory.
    if (readFileSync(join(folder, "cgroup.type"), "utf8").trim() !== "domain") return false;
    const available = readFileSync(join(folder, "cgroup.controllers"), "utf8").trim().split(" ");
    if (!controllers.every(name => available.includes(name))) return false;
    // To move a process takes the right to write here, too: it is the common ancestor of both places.
    for (const name of ["", "cgroup.procs", "cgroup.subtree_control"])
      accessSync(join(folder, name), constants.W_OK);
    // It is missing where the kernel does not count swap.
    accessSync(join(folder, "memory.swap.max"));
    return processesIn(folder).every(isOurs);
  } catch {
    return false;
  }
}

/**
 * What a run had too much of, by the counts of its cgroup.
 * @param memory what memory.events holds. oom_kill alone may be the work of a cgroup above, or of the whole machine
 * @param pids what pids.events holds
 */
export function exceededOf(memory: string, pids: string): ExceededStatement | null {
  if (countOf(memory, "oom") > 0 && countOf(memory, "oom_kill") > 0)
    return { code: "memory-refused", most: limits.runMemoryBytes / megabyte };
  return countOf(pids, "max") > 0 ? { code: "too-many-threads", most: limits.runThreads } : null;
}

/** The count of an event in a file such as memory.events; 0 without it. */
function countOf(text: string, key: string): number {
  return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

/** Its own processes, and not those of the cgroups below; a process of another pid namespace is 0. */
function processesIn(folder: string): number[] {
  return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
}

async function remove(folder: string): Promise<void> {
  killIn(folder);
  await until(() => {
    try {
      rmdirSync(folder);
      return true;
    } catch (error) {
      // EBUSY: the last of its processes is still ending.
      return (error as NodeJS.ErrnoException).code === "ENOENT";
    }
  });
}

function killIn(folder: string): void {
  try {
    writeFileSync(join(folder, "cgroup.kill"), "1");
  } catch {
    // It is gone, or this kernel is older than 5.14.
  }
}

function readIn(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch {
    return ""; // it is gone
  }
}

/** mountinfo writes a space as \040. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
