// Sandbox level. What a process may touch, which environment and limits it gets, and how a command is started so.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { realHome } from "../lib/home.ts";
import { limits, type Sandbox } from "../protocol.ts";
import type { Cgroups } from "./cgroup.ts";
import { real } from "./sandbox-advice.ts";

/** What one process may touch. All paths are absolute and real (no symlink in them). */
export interface Reach {
  cwd: string;
  /** Files and folders, beside the system's, that it may read. */
  readable: string[];
  writable: string[];
  /** File descriptors that it may hold; the hard limit of this machine may be lower. */
  descriptors: number;
}

/** The level in force, and how a command is started in it. */
export interface SandboxLevel extends Sandbox {
  /** At level "plain": do its processes have a pid namespace, made by unshare(1)? */
  contained?: boolean;
  /** Where each process tree gets a cgroup of its own; missing where the kernel bounds none. */
  cgroups?: Cgroups;
  /** The whole command line. @param statusFd where bubblewrap, or the namespace's first process, reports */
  wrap(command: string[], reach: Reach, statusFd: number): string[];
}

/** The same level with the kernel's bound, and a statement that says so; as it is where there are no cgroups. */
export function inCgroups(sandbox: SandboxLevel, cgroups: Cgroups | null): SandboxLevel {
  return cgroups ? { ...sandbox, cgroups, statement: { ...sandbox.statement, cgroup: true } } : sandbox;
}

/** Of one process, in bytes; a core dump would only fill the disk. */
const fileBytes = 64 * 1024 * 1024;
/** Native memory that a program may have over what an idle node has (trust.md 2.4: RLIMIT_AS breaks Node). */
export const dataLimitBytes = 512 * 1024 * 1024;
/** Threads of the run's user; a node has eleven. Counted inside the sandbox only, where no desktop adds to it. */
export const threadLimit = limits.runThreads;

/** What programs need of the package, and no more: not chapters/ with its solutions, not .git. */
export function packageParts(packageRoot: string): string[] {
  const parts = ["dist", "node_modules", "html", "package.json"].map(name => join(packageRoot, name));
  return parts.flatMap(part => real(part) ?? []);
}

/**
 * What programs need of the workspace beside their lab's folder: its packages, and the package.json that makes a .js file
 * a module, as `npx tsx` in that folder finds them.
 * @param folder the lab's folder, absolute and real
 */
export function workspaceParts(folder: string): string[] {
  const root = join(folder, "../..");
  // A link would show what it leads to: of these names a workspace has real ones.
  return ["node_modules", "package.json"].map(name => join(root, name)).filter(path => real(path) === path);
}

/** The environment of programs: these variables of the user's and no other, as the others may hold secrets. */
export function programEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "TZ"].flatMap(name => (env[name] ? [[name, env[name]]] : []));
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: realHome() ?? "/",
    TERM: "xterm-256color",
    ...Object.fromEntries(kept),
  };
}

/**
 * The command line of prlimit(1) up to and without the command.
 * @param idle bytes of data that an idle Node has
 * @param nproc threads that the user of the process may have; no limit when it is left out
 */
export function limitArguments(prlimit: string, descriptors: number, idle: number, nproc?: number): string[] {
  const hard = Number(/^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  const each = {
    ...(nproc ? { nproc } : {}),
    nofile: Math.min(descriptors, hard || descriptors),
    fsize: fileBytes,
    core: 0,
    data: idle + dataLimitBytes,
  };
  return [prlimit, ...Object.entries(each).map(([name, value]) => `--${name}=${value}`), "--"];
}
