// One process tree: it is started, it speaks on its pipes, it ends once, and then nothing of it is left. In
// bubblewrap the kernel keeps that promise, with a pid namespace that dies with its first process; at level
// "plain" we kill the process group and whatever carries the run's mark in its environment.
import { spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { hold } from "./held.ts";
import { bubblewrapTree, type Ending, plainTree, type Tree } from "./process-tree.ts";
import { programEnvironment, type Reach, type SandboxLevel } from "./sandbox.ts";

export interface LaunchOptions {
  sandbox: SandboxLevel;
  /** Absolute path of a program, and its arguments. */
  command: string[];
  reach: Reach;
  /** Added to the few variables that every program gets. */
  variables: Record<string, string>;
  /** Names this tree in the environment of all that it starts: unique on this machine. */
  mark: string;
  /** What it has as descriptors 3, 4, …: a socket pair with us, or a descriptor of ours. */
  descriptors: ("pipe" | number)[];
}

export interface Launched extends Tree {
  /** Held (held.ts), as the pipes are: nothing is lost before flow() is called. */
  stdout: Readable;
  stderr: Readable;
  /** Our ends of the "pipe" descriptors, in order. */
  pipes: Duplex[];
}

/**
 * Starts a process tree.
 * @throws Error with a sentence when there is no process: no such program, no more processes, no sandbox
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { sandbox, reach, descriptors, mark } = options;
  const confined = sandbox.level === "bubblewrap";
  const statusFd = 3 + descriptors.length;
  const [file, ...args] = sandbox.wrap(options.command, reach, statusFd) as [string, ...string[]];
  const child = spawn(file, args, {
    cwd: confined ? "/" : reach.cwd,
    env: { ...programEnvironment(process.env), ...options.variables, LAB_RUN: mark },
    stdio: ["ignore", "pipe", "pipe", ...descriptors, ...(confined ? (["pipe"] as const) : [])],
    detached: !confined,
  });
  const failed = new Promise<never>((_, reject) => {
    child.on("error", error => reject(new Error(`${file} cannot be started: ${error.message}`)));
  });
  // When this process is itself out of descriptors, there is not even a list of pipes.
  if (!child.stdio) return failed;
  const exited = new Promise<Ending>(resolve => {
    child.on("exit", (code, signal) => resolve({ code, signal, ambiguous: false }));
  });
  const pipes = descriptors.flatMap((d, i) => (d === "pipe" ? [child.stdio[3 + i] as Duplex] : []));
  // A program that closes its end makes ours fail; that is its business, and no error of the lab server.
  for (const pipe of pipes) pipe.on("error", () => {});
  // Whoever reads them comes only when the sandbox stands; a short-lived program may have ended by then.
  for (const stream of [child.stdout!, child.stderr!, ...pipes]) hold(stream);
  const tree = confined
    ? await Promise.race([failed, bubblewrapTree(child, child.stdio[statusFd] as Readable, exited)])
    : await Promise.race([failed, plainTree(child, mark, exited)]);
  return { stdout: child.stdout!, stderr: child.stderr!, pipes, ...tree };
}
