// How far a student's program is kept from everything else on the machine. The level is found once, at start, by
// trying it with the real arguments; it is always said in words, and never lowered without saying so.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type BubblewrapFacts, bubblewrapArguments } from "./bubblewrap.ts";
import { realHome } from "./home.ts";
import type { Sandbox } from "./protocol.ts";
import { find, installCommand, real, whyNot } from "./sandbox-advice.ts";

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
  /** The whole command line; statusFd is for bubblewrap alone, null at level "plain". */
  wrap(command: string[], reach: Reach, statusFd: number): string[];
}

/** Of one process, in bytes; a core dump would only fill the disk. */
const fileBytes = 64 * 1024 * 1024;
/** Native memory that a program may have over what an idle node has (trust.md 2.4: RLIMIT_AS breaks Node). */
const dataBytes = 512 * 1024 * 1024;
/** Threads of the run's user; a node has eleven. Counted inside the sandbox only, where no desktop adds to it. */
const threads = 128;
const probeMs = 10_000;

/**
 * Finds the level that works here.
 * @param packageRoot the workbook's own folder, which programs need to read
 * @param env WORKBOOK_SANDBOX: "off" or "bubblewrap" forces a level
 * @throws Error with a sentence when the forced level cannot work
 */
export async function findSandbox(
  packageRoot: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<SandboxLevel> {
  const wish = env.WORKBOOK_SANDBOX ?? "";
  if (!["", "off", "bubblewrap"].includes(wish))
    throw new Error(`WORKBOOK_SANDBOX is "${wish}"; it can be "off", "bubblewrap", or not be set.`);
  const root = realpathSync(packageRoot);
  if (wish === "off") return plain(root, env, "WORKBOOK_SANDBOX=off asks for that");
  const found = await bubblewrap(root, env);
  if (typeof found !== "string") return found;
  if (wish === "bubblewrap") throw new Error(`WORKBOOK_SANDBOX=bubblewrap cannot be done: ${found}.`);
  return plain(root, env, found);
}

/** What programs need of the package, and no more: not chapters/ with its solutions, not .git. */
export function packageParts(packageRoot: string): string[] {
  const parts = ["dist", "node_modules", "html", "package.json"].map(name => join(packageRoot, name));
  return parts.flatMap(part => real(part) ?? []);
}

/** The level, or in words why it cannot be. */
async function bubblewrap(root: string, env: NodeJS.ProcessEnv): Promise<SandboxLevel | string> {
  const bwrap = find("bwrap", env);
  if (!bwrap) return `bubblewrap is not installed (${installCommand("bubblewrap")})`;
  const isRoot = process.getuid!() === 0;
  const setpriv = isRoot ? find("setpriv", env) : null;
  const prlimit = find("prlimit", env);
  const missing = !prlimit ? "prlimit" : isRoot && !setpriv ? "setpriv" : null;
  if (missing || !prlimit)
    return `${missing}, a part of util-linux, is not installed (${installCommand("util-linux")})`;
  const { stdout: help } = await ask([bwrap, "--help"], "/", env);
  if (!help.includes("--json-status-fd")) return "this bubblewrap is older than 0.3 (update it)";
  const facts: BubblewrapFacts = { bwrap, help, setpriv };
  const wrap = (idle: number) => (command: string[], reach: Reach, statusFd: number) => {
    const limits = limitArguments(prlimit, reach.descriptors, idle, threads);
    return [bwrap, ...bubblewrapArguments(facts, reach, statusFd), ...limits, ...command];
  };
  // What is tried first has a generous limit of memory; what an idle node needs is measured by that very try.
  const idle = await probe(root, env, wrap(4 * dataBytes));
  if (typeof idle === "string") return whyNot(idle);
  const sentence = isRoot
    ? "Programs run in a bubblewrap sandbox and, because you are root, as a user without rights: they can read the " +
      "system, the workbook and their own lab's folder, can change nothing, and cannot see other processes. They " +
      "share this machine's network."
    : "Programs run in a bubblewrap sandbox: of your files they see only the workbook and their own lab's folder, and " +
      "change only the latter; they cannot see other processes. They share this machine's network.";
  return { level: "bubblewrap", sentence, wrap: wrap(idle) };
}

async function plain(root: string, env: NodeJS.ProcessEnv, reason: string): Promise<SandboxLevel> {
  const prlimit = find("prlimit", env);
  const wrap = (idle: number) => (command: string[], reach: Reach) =>
    // Without a namespace of its own a limit of threads would count those of the whole desktop.
    prlimit ? [...limitArguments(prlimit, reach.descriptors, idle), ...command] : command;
  const idle = await probe(root, env, wrap(4 * dataBytes));
  if (typeof idle === "string") throw new Error(`Node cannot be started to run labs: ${idle}`);
  const whose =
    process.getuid!() === 0 ? "everything on this machine, because you are root" : "all your files";
  const sentence =
    `Programs run unprotected, because ${reason}: they can read and change ${whose}. When one ends, its ` +
    "children end too, but a background process that left its group and its environment behind may go on.";
  return { level: "plain", sentence, wrap: wrap(idle) };
}

/** Starts a node as programs are started. What its data takes in bytes, or what went wrong. */
async function probe(
  root: string,
  env: NodeJS.ProcessEnv,
  wrap: SandboxLevel["wrap"],
): Promise<number | string> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "socket-workbook-probe-")));
  chmodSync(folder, 0o755);
  const readable = [...packageParts(root), folder];
  // Also a file deep inside: folders can be readable above one that is not.
  const looked = [...readable, real(join(root, "dist/server-labs/runtime/program.js")) ?? folder];
  const look = `for (const path of ${JSON.stringify(looked)}) fs.accessSync(path, fs.constants.R_OK);
    console.log(/VmData:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1])`;
  try {
    const reach = { cwd: folder, readable, writable: [], descriptors: 256 };
    const said = await ask(wrap([realpathSync(process.execPath), "-e", look], reach, 3), folder, env);
    const kilobytes = Number(said.stdout.trim());
    if (kilobytes > 0) return kilobytes * 1024;
    const lines = said.stderr.split("\n").filter(line => line.trim() !== "");
    return lines.find(line => /^\w*Error|^\w+: /.test(line)) ?? lines[0] ?? said.ending;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a command to its end; descriptor 3 is there for bubblewrap's reports, which nobody reads here. */
function ask(command: string[], cwd: string, env: NodeJS.ProcessEnv) {
  return new Promise<{ stdout: string; stderr: string; ending: string }>(resolve => {
    const stdio = ["ignore", "pipe", "pipe", "pipe"] as const;
    const [file, ...args] = command;
    const child = spawn(file!, args, {
      cwd,
      env: programEnvironment(env),
      stdio: [...stdio],
      timeout: probeMs,
    });
    const said = { stdout: "", stderr: "", ending: "it said nothing" };
    const hear = (name: "stdout" | "stderr") => (chunk: Buffer) => {
      said[name] = (said[name] + chunk.toString("utf8")).slice(0, 10_000);
    };
    child.stdout!.on("data", hear("stdout"));
    child.stderr!.on("data", hear("stderr"));
    (child.stdio[3] as Readable).resume();
    child.on("error", error => resolve({ ...said, ending: error.message }));
    child.on("close", (code, signal) => {
      resolve({ ...said, ending: `it ended with ${signal ?? code} and said nothing` });
    });
  });
}

/** The environment of programs: nothing of the user's but these, and no secret is in them. */
export function programEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "TZ"].flatMap(name => (env[name] ? [[name, env[name]]] : []));
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: realHome() ?? "/",
    TERM: "xterm-256color",
    ...Object.fromEntries(kept),
  };
}

function limitArguments(prlimit: string, descriptors: number, idle: number, nproc?: number): string[] {
  const hard = Number(/^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  const limits = {
    ...(nproc ? { nproc } : {}),
    nofile: Math.min(descriptors, hard || descriptors),
    fsize: fileBytes,
    core: 0,
    data: idle + dataBytes,
  };
  return [prlimit, ...Object.entries(limits).map(([name, value]) => `--${name}=${value}`), "--"];
}
