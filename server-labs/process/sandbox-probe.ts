// Probe of a sandbox. Starts a Node as programs are started, and measures it or finds out what went wrong.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { real } from "./sandbox-advice.ts";
import { packageParts, programEnvironment, type SandboxLevel } from "./sandbox-level.ts";

const probeMs = 10_000;

/**
 * Starts a Node as programs are started.
 * @param root the workbook's own folder, absolute and real
 * @returns the bytes that its data takes; or what the sandbox, Node or the system said when it did not start
 */
export async function probe(
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
    const said = await askProcess(wrap([realpathSync(process.execPath), "-e", look], reach, 3), folder, env);
    const kilobytes = Number(said.stdout.trim());
    if (kilobytes > 0) return kilobytes * 1024;
    const lines = said.stderr.split("\n").filter(line => line.trim() !== "");
    return lines.find(line => /^\w*Error|^\w+: /.test(line)) ?? lines[0] ?? said.ending;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a command to its end. Descriptor 3 is there for bubblewrap's reports, which are thrown away here. */
export function askProcess(command: string[], cwd: string, env: NodeJS.ProcessEnv) {
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
    // Out of descriptors (EMFILE) there are no pipes, and "error" says why.
    child.stdout?.on("data", hear("stdout"));
    child.stderr?.on("data", hear("stderr"));
    (child.stdio?.[3] as Readable | undefined)?.resume();
    child.on("error", error => resolve({ ...said, ending: error.message }));
    child.on("close", (code, signal) => {
      resolve({ ...said, ending: `it ended with ${signal ?? code} and said nothing` });
    });
  });
}
