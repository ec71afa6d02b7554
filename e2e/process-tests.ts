// Process tests. Every *.process.test.ts, in groups: the files of a group share one Node process, so that its start, the
// TypeScript compiler and the built runtime are paid for once. Two groups run at a time: some tests fill a processor.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { processGroups } from "./unit-tests.ts";

/** A group that has not ended by then hangs, in the test behind the last one that it has shown: it is ended. */
const patienceMs = 10 * 60_000;

const folder = mkdtempSync(join(tmpdir(), "workbook-process-tests-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const running = new Set<ChildProcess>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(128 + constants.signals[signal]);
  });

/** Runs a group in a process of its own. @returns whether every test of it has passed */
async function run(name: string, files: string[]): Promise<boolean> {
  const began = Date.now();
  const args = [
    "--import",
    "tsx",
    "--test-reporter=spec",
    join(import.meta.dirname, "process-group.ts"),
    ...files,
  ];
  // What two groups say would be mixed: each is shown when it is whole. A file, because it needs no end: a process that a
  // failed test has left behind would hold a pipe open.
  const said = join(folder, name.replaceAll("/", "-"));
  const output = openSync(said, "w");
  const child = spawn(process.execPath, args, { stdio: ["ignore", output, output] });
  closeSync(output);
  running.add(child);
  const patience = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  clearTimeout(patience);
  running.delete(child);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const end = code === 0 ? "good" : `failed (${signal ?? `exit code ${code}`})`;
  console.log(`\n${readFileSync(said, "utf8")}\n── ${name}: ${end}, ${seconds} s`);
  return code === 0;
}

const groups = processGroups();
const failed: string[] = [];
const worker = async () => {
  for (let group = groups.shift(); group; group = groups.shift())
    if (!(await run(group.name, group.files))) failed.push(group.name);
};
await Promise.all([worker(), worker()]);
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(", ")}.`);
  process.exitCode = 1;
}
