// Checks that never end: one waits, one loops. Neither hangs the checker.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Poller } from "../clients.ts";
import { packageRoot } from "../lib/package-root.ts";
import { isAlive } from "../process.ts";
import { checkFixture } from "./fixtures/check-fixture.ts";

test("a check that waits for ever ends at its limit, and its author is told", async () => {
  const outcome = await checkFixture("echoes/solution.ts", () => new Promise<void>(() => {}), {
    check: { limit: 200 },
  });
  assert.equal(outcome.broken, true);
  assert.equal(
    outcome.failure?.summary,
    "This check did not end within 0.2 s. A wait in the check has no limit: the mistake is in the check, not in your program.",
  );
});

test("a check that loops is ended, with the programs that it started", { timeout: 120_000 }, async t => {
  const module = pathToFileURL(join(packageRoot, "dist/server-labs/check/time-limit.js")).href;
  const text = `
    const { watchForLoops } = await import("${module}");
    const { spawn } = await import("node:child_process");
    watchForLoops(2);
    const program = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    program.once("spawn", () => {
      process.stdout.write(program.pid + "\\n", () => { for (;;); });
    });`;
  const checker = spawn(process.execPath, ["--input-type=module", "-e", text], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => checker.kill("SIGKILL"));
  let [said, printed] = ["", ""];
  checker.stderr.setEncoding("utf8").on("data", words => {
    said += words;
  });
  checker.stdout.setEncoding("utf8").on("data", words => {
    printed += words;
  });
  const [, signal] = await once(checker, "close");
  assert.equal(signal, "SIGKILL");
  assert.match(said, /^The checks ended: their own code did not return for 2 s\./);
  const program = Number(printed);
  assert.ok(program > 0);
  assert.ok(await new Poller(() => {}).until(() => !isAlive(program), 5000), "its program goes on");
});
