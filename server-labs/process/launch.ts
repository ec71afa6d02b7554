// Launch. Starts a process tree; when it ends, no process of it is left. In bubblewrap the kernel keeps that promise, with
// a pid namespace that dies with its first process; where level "plain" has none, the lab server kills the process group
// and every process that has the run's mark in its environment. Where it has cgroups, each tree is in one of its own.
import { spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import type { Cgroup } from "./cgroup.ts";
import { hold } from "./held-streams.ts";
import { type Ending, namespaceTree, plainTree, type Tree } from "./process-tree.ts";
import { programEnvironment, type Reach, type SandboxLevel } from "./sandbox-level.ts";

export interface LaunchOptions {
  sandbox: SandboxLevel;
  /** Absolute path of a program, and its arguments. */
  command: string[];
  reach: Reach;
  /** Added to the few variables that every program gets. */
  variables: Record<string, string>;
  /** Names this tree in the environment of every process of it: unique on this machine. */
  mark: string;
  /** Its descriptors 3, 4, …: "pipe" for a socket pair with the lab server, or a descriptor of the lab server. */
  descriptors: ("pipe" | number)[];
}

export interface Launched extends Tree {
  /** Held (held-streams.ts), as the pipes are: no byte is lost before flow() is called. */
  stdout: Readable;
  stderr: Readable;
  /** The lab server's ends of the "pipe" descriptors, in order. */
  pipes: Duplex[];
  /** Bounds the tree; null where the lab server has no cgroups. */
  cgroup: Pick<Cgroup, "lacksThreads" | "exceeded"> | null;
}

/** How long a sandbox may take; a busy machine makes one in less than a second. */
export const madeMs = 20_000;

/**
 * Starts a process tree.
 * @throws Error with a sentence when there is no such program, no more process may be started, or no sandbox is made
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const cgroup = options.sandbox.cgroups?.create(options.mark);
  if (!cgroup) return { ...(await started(options, command => command)), cgroup: null };
  const tree = await started(options, command => cgroup.enter(command)).catch(async error => {
    await cgroup.end();
    throw error;
  });
  return {
    ...tree,
    cgroup,
    kill() {
      tree.kill();
      cgroup.kill();
    },
    ended: tree.ended.then(async ending => {
      await cgroup.end();
      return ending;
    }),
  };
}

/** @param enter the command line that executes another one in the tree's cgroup */
async function started(
  options: LaunchOptions,
  enter: (command: string[]) => string[],
): Promise<Omit<Launched, "cgroup">> {
  const { sandbox, reach, descriptors, mark } = options;
  const isBubblewrap = sandbox.level === "bubblewrap";
  const confined = isBubblewrap || sandbox.contained === true;
  const statusFd = 3 + descriptors.length;
  const [file, ...args] = enter(sandbox.wrap(options.command, reach, statusFd)) as [string, ...string[]];
  const child = spawn(file, args, {
    cwd: isBubblewrap ? "/" : reach.cwd,
    env: { ...programEnvironment(process.env), ...options.variables, LAB_RUN: mark },
    stdio: ["ignore", "pipe", "pipe", ...descriptors, ...(confined ? (["pipe"] as const) : [])],
    // A terminal's Ctrl+C is for the lab server; bubblewrap makes a session of its own.
    detached: !isBubblewrap,
  });
  const failed = new Promise<never>((_, reject) => {
    child.on("error", error => reject(new Error(`${file} cannot be started: ${error.message}`)));
  });
  // When this process is out of descriptors (EMFILE), there is not even a list of pipes.
  if (!child.stdio) return failed;
  const exited = new Promise<Ending>(resolve => {
    child.on("exit", (code, signal) => resolve({ code, signal, ambiguous: false }));
  });
  const pipes = descriptors.flatMap((d, i) => (d === "pipe" ? [child.stdio[3 + i] as Duplex] : []));
  // A program that closes its end makes the other end fail; that is not an error of the lab server.
  for (const pipe of pipes) pipe.on("error", () => {});
  // Their readers come when the sandbox is made; a short-lived program may have ended by then.
  for (const stream of [child.stdout!, child.stderr!, ...pipes]) hold(stream);
  // A sandbox that hangs while it is made (a mount that does not answer) is given up, and its lab can be started again.
  const patience = setTimeout(() => child.kill("SIGKILL"), madeMs).unref();
  const tree = await (confined
    ? Promise.race([failed, namespaceTree(child, child.stdio[statusFd] as Readable, exited)])
    : Promise.race([failed, plainTree(child, mark, exited)])
  ).finally(() => clearTimeout(patience));
  return { stdout: child.stdout!, stderr: child.stderr!, pipes, ...tree };
}
