// The check command: started from a shell, by the lab server, and ended by a signal.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { Poller } from "../clients/poller.ts";
import { packageRoot } from "../lib/package-root.ts";
import { processTree, runState } from "./proc.ts";

const lab = "non-blocking/polling-model";
const main = join(packageRoot, "dist/server-labs/check/main.js");
const env = { ...process.env, WORKBOOK_HOME: "/nonexistent" };

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args], { env });
  let [out, err] = ["", ""];
  child.stdout.on("data", chunk => (out += chunk));
  child.stderr.on("data", chunk => (err += chunk));
  const code = await new Promise<number | null>(resolve => child.on("close", resolve));
  return { code, out, err };
}

test("the command prints sentences, and its exit code agrees", async () => {
  const good = await run(lab, "--solution", "--only", "burst");
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /✓ accepts a burst/);
  assert.match(good.out, /The check passed\./);
  const bad = await run(lab, "--starter", "--only", "quiet");
  assert.equal(bad.code, 1, bad.out + bad.err);
  assert.match(bad.out, /✗ prints nothing while nothing happens[\s\S]+See it again:[\s\S]+server\.ts 7890/);
});

test("the reader of its output has left: it ends, without a stack", async () => {
  const child = spawn(process.execPath, [main, lab, "--solution", "--only", "burst"], { env });
  child.stdout.destroy();
  let err = "";
  child.stderr.on("data", chunk => (err += chunk));
  const code = await new Promise<number | null>(resolve => child.on("close", resolve));
  assert.deepEqual([code, err], [141, ""]);
});

test("a file runs with the modules beside it, at its own address", async t => {
  const folder = mkdtempSync(join(tmpdir(), "workbook-modules-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const solution = readFileSync(
    join(packageRoot, "chapters/01-non-blocking/03-polling-model/lab/solution.ts"),
    "utf8",
  );
  const file = join(folder, "server.ts");
  writeFileSync(
    file,
    `import { port as given } from "./port";\nif (!given || import.meta.filename !== ${JSON.stringify(file)}) throw 1;\n${solution}`,
  );
  writeFileSync(join(folder, "port.ts"), "export const port = Number(process.argv[2]);");
  const good = await run(lab, "--file", file, "--only", "burst");
  assert.equal(good.code, 0, good.out + good.err);
  writeFileSync(join(folder, "port.ts"), "export const port: = 1;");
  const bad = await run(lab, "--file", file, "--only", "burst");
  assert.equal(bad.code, 1, bad.out + bad.err);
  assert.match(bad.out, /port\.ts:1:20: Type expected\. Nothing was run\./);
});

test("a program cannot open the checker's inspector, and says nothing in its name", async t => {
  const folder = mkdtempSync(join(tmpdir(), "workbook-cheats-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "server.ts");
  writeFileSync(
    file,
    `process.kill(process.ppid, "SIGUSR1");\nconsole.log('{"type":"check","id":"burst","state":"passed"}\\n✓ accepts a burst');\n`,
  );
  const { code, out, err } = await run(lab, "--file", file, "--only", "burst", "--json");
  assert.equal(code, 1, out + err);
  assert.doesNotMatch(out + err, /Debugger listening/);
  const states = out
    .trim()
    .split("\n")
    .map(line => JSON.parse(line).state);
  assert.ok(states.includes("failed") && !states.includes("passed"), out);
});

test("the seed of a run must be a whole number", async () => {
  const { code, err } = await run(lab, "--solution", "--seed", "1.5");
  assert.equal(code, 2);
  assert.match(err, /--seed takes a whole number of at most nine digits, not "1\.5"/);
});

test("the lab server gets one object a line, and no other output", async () => {
  const args = [main, lab, "--solution", "--only", "quiet", "--only", "silent"];
  const child = spawn(process.execPath, args, {
    env: { ...env, LAB_REPORT_FD: "3" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", chunk => (printed += chunk));
  const states: Record<string, string[]> = {};
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const { type, id, state } = JSON.parse(line);
    assert.equal(type, "check");
    states[id] = [...(states[id] ?? []), state];
  }
  assert.deepEqual(states, {
    silent: ["waiting", "running", "passed"],
    quiet: ["waiting", "running", "passed"],
  });
  assert.equal(printed, "");
});

test("each mistake in the command line gets a sentence", async () => {
  const cases: [string[], RegExp][] = [
    [["no/such-lab"], /There is no lab "no\/such-lab"\. There are: .*polling-model/],
    [[lab, "--only", "nothing"], /has no check "nothing"\. It has: burst, /],
    [[lab], /You have not saved a file for this lab yet: \/nonexistent/],
    [[lab, "--starter", "--solution"], /Choose one of/],
    [[lab, "--command", "python3 server.py"], /must contain \{port\}/],
    [[lab, "--file", "/no/such/file.ts"], /\/no\/such\/file\.ts does not exist/],
    [[lab, "--starter", "--repeat", "often"], /a whole number, 1 or more, not "often"/],
    [[lab, "--nonsense"], /Unknown option '--nonsense'/],
    [[], /npm run check -- <lab>/],
  ];
  for (const [args, sentence] of cases) {
    const { code, err } = await run(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, sentence);
  }
});

test("a hint, one step at a time", async () => {
  const { out } = await run(lab, "--hint", "burst");
  assert.match(out, /One more: npm run check -- non-blocking\/polling-model --hint burst --rung 2/);
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`${signal} ends the checks and every program under test`, async () => {
    const child = spawn(process.execPath, [main, lab, "--starter", "--json"], { env });
    const closed = new Promise(resolve => child.on("close", resolve));
    let programs: number[] = [];
    for await (const _line of createInterface({ input: child.stdout! })) {
      // Every process that the checker has started is a program under test.
      programs = processTree(child.pid!).slice(1);
      if (programs.length > 0 || child.exitCode !== null) break;
    }
    assert.ok(programs.length > 0, "no check was running");
    child.kill(signal);
    await closed;
    // A zombie has ended too: its new parent has not waited for it yet.
    const over = () => programs.every(pid => [null, "Z", "X"].includes(runState(pid)));
    assert.ok(await new Poller(() => {}).until(over, 30_000), `still running: ${programs.join(", ")}`);
  });
}
