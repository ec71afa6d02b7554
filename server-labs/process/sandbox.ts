// Sandbox. Finds how far this machine can keep a student's program from everything else on it.
// The level is found once, at start, by trying it with the real arguments; the page always shows it, and the lab server
// never lowers it without saying so.
import { realpathSync } from "node:fs";
import { type NoSandboxReason, sentence } from "../protocol.ts";
import { type BubblewrapFacts, bubblewrapArguments } from "./bubblewrap.ts";
import { inPidNamespace } from "./pid-namespace.ts";
import { find, installCommand, reasonOf } from "./sandbox-advice.ts";
import {
  dataLimitBytes,
  limitArguments,
  type Reach,
  type SandboxLevel,
  threadLimit,
} from "./sandbox-level.ts";
import { askProcess, probe } from "./sandbox-probe.ts";

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
  const setting = env.WORKBOOK_SANDBOX ?? "";
  if (!["", "off", "namespace", "bubblewrap"].includes(setting))
    throw new Error(sentence({ code: "sandbox-setting-unknown", setting }));
  const root = realpathSync(packageRoot);
  if (setting === "off") return plain(root, env, { code: "sandbox-off" });
  if (setting === "namespace") {
    const level = await contained(root, env, { code: "namespace-asked" });
    if (level) return level;
    throw new Error(sentence({ code: "namespace-not-possible" }));
  }
  const found = await bubblewrap(root, env);
  if ("level" in found) return found;
  if (setting === "bubblewrap") throw new Error(sentence({ code: "sandbox-not-possible", reason: found }));
  return (await contained(root, env, found)) ?? plain(root, env, found);
}

/** The level "bubblewrap", or the reason why this machine cannot have it. */
async function bubblewrap(root: string, env: NodeJS.ProcessEnv): Promise<SandboxLevel | NoSandboxReason> {
  const bwrap = find("bwrap", env);
  if (!bwrap) return { code: "not-installed", program: "bubblewrap", fix: installCommand("bubblewrap") };
  const isRoot = process.getuid!() === 0;
  const setpriv = isRoot ? find("setpriv", env) : null;
  const prlimit = find("prlimit", env);
  const missing = !prlimit ? "prlimit" : isRoot && !setpriv ? "setpriv" : null;
  if (missing || !prlimit)
    return { code: "not-installed", program: missing ?? "prlimit", fix: installCommand("util-linux") };
  const { stdout: help } = await askProcess([bwrap, "--help"], "/", env);
  if (!help.includes("--json-status-fd")) return { code: "bubblewrap-too-old" };
  const facts: BubblewrapFacts = { bwrap, help, setpriv };
  const wrap = (idle: number) => (command: string[], reach: Reach, statusFd: number) => {
    const limits = limitArguments(prlimit, reach.descriptors, idle, threadLimit);
    return [bwrap, ...bubblewrapArguments(facts, reach, statusFd), ...limits, ...command];
  };
  // What is tried first has a generous limit of memory; what an idle node needs is measured by that very try.
  const idle = await probe(root, env, wrap(4 * dataLimitBytes));
  if (typeof idle === "string") return reasonOf(idle);
  const statement = { code: "sandboxed", root: isRoot } as const;
  return { level: "bubblewrap", statement, wrap: wrap(idle) };
}

/** Level "plain" with a pid namespace; null where this machine allows none. */
async function contained(
  packageRoot: string,
  env: NodeJS.ProcessEnv,
  reason: NoSandboxReason,
): Promise<SandboxLevel | null> {
  const root = process.getuid!() === 0;
  const [setpriv, unshare, prlimit] = ["setpriv", "unshare", "prlimit"].map(name => find(name, env));
  if (!setpriv || !unshare || !prlimit) return null;
  const wrap = (idle: number) => (command: string[], reach: Reach, statusFd: number) =>
    inPidNamespace({ setpriv, unshare, root }, statusFd, [
      ...limitArguments(prlimit, reach.descriptors, idle),
      ...command,
    ]);
  const idle = await probe(packageRoot, env, wrap(4 * dataLimitBytes));
  if (typeof idle === "string") return null;
  const statement = { code: "unprotected", root, reason, contained: true } as const;
  return { level: "plain", contained: true, statement, wrap: wrap(idle) };
}

async function plain(
  packageRoot: string,
  env: NodeJS.ProcessEnv,
  reason: NoSandboxReason,
): Promise<SandboxLevel> {
  const prlimit = find("prlimit", env);
  const wrap = (idle: number) => (command: string[], reach: Reach) =>
    // Without a namespace of its own a limit of threads would count those of the whole desktop.
    prlimit ? [...limitArguments(prlimit, reach.descriptors, idle), ...command] : command;
  const idle = await probe(packageRoot, env, wrap(4 * dataLimitBytes));
  if (typeof idle === "string") throw new Error(sentence({ code: "node-not-started", text: idle }));
  const root = process.getuid!() === 0;
  return { level: "plain", statement: { code: "unprotected", root, reason }, wrap: wrap(idle) };
}
