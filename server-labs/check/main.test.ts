// The checks as they are called: by a person, by the lab server, and when somebody loses patience.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { packageRoot } from "./package-root.ts";
import { family, processState } from "./proc.ts";
import { Waiting } from "./wait.ts";

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

test("a person reads sentences, and the exit code says it too", async () => {
  const good = await run(lab, "--solution", "--only", "burst");
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /✓ takes a burst/);
  assert.match(good.out, /The check passed\./);
  const bad = await run(lab, "--starter", "--only", "quiet");
  assert.equal(bad.code, 1, bad.out + bad.err);
  assert.match(bad.out, /✗ prints nothing while nothing happens[\s\S]+See it again:[\s\S]+server\.ts 7890/);
});

test("the lab server gets one object a line, and nothing else is said", async () => {
  const args = [main, lab, "--solution", "--only", "quiet", "--only", "silent"];
  const child = spawn(process.execPath, args, {
    env: { ...env, LAB_REPORT_FD: "3" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", chunk => (said += chunk));
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
  assert.equal(said, "");
});

test("what cannot be asked is said in a sentence", async () => {
  const cases: [string[], RegExp][] = [
    [["no/such-lab"], /There is no lab "no\/such-lab"\. There is: .*polling-model/],
    [[lab, "--only", "nothing"], /has no check "nothing"\. It has: burst, /],
    [[lab], /no work of yours yet: \/nonexistent/],
    [[lab, "--starter", "--solution"], /Choose one of/],
    [[lab, "--command", "python3 server.py"], /must say where the port goes/],
    [[lab, "--file", "/no/such/file.ts"], /\/no\/such\/file\.ts does not exist/],
    [[lab, "--starter", "--repeat", "often"], /"often" is no number of times/],
    [[lab, "--nonsense"], /Unknown option '--nonsense'/],
    [[], /npm run check -- <lab>/],
  ];
  for (const [args, sentence] of cases) {
    const { code, err } = await run(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, sentence);
  }
});

test("a hint, one rung at a time", async () => {
  const { out } = await run(lab, "--hint", "burst");
  assert.match(out, /One more: npm run check -- non-blocking\/polling-model --hint burst --rung 2/);
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`${signal} ends the checks and every program under test`, async () => {
    const child = spawn(process.execPath, [main, lab, "--starter", "--json"], { env });
    const closed = new Promise(resolve => child.on("close", resolve));
    let programs: number[] = [];
    for await (const _line of createInterface({ input: child.stdout! })) {
      // Node's own threads are no processes: whatever is in the family beside the checker is under test.
      programs = family(child.pid!).slice(1);
      if (programs.length > 0 || child.exitCode !== null) break;
    }
    assert.ok(programs.length > 0, "a check was under way");
    child.kill(signal);
    await closed;
    // Whoever is its parent now may take its time to notice: a zombie runs no more.
    const over = () => programs.every(pid => [null, "Z", "X"].includes(processState(pid)));
    assert.ok(await new Waiting(() => {}).until(over, 5000), `still there: ${programs.join(", ")}`);
  });
}
