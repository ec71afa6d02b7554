import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ALab } from "./fixtures/a-lab.ts";
import { atEachLevel, ending, first, textOf, whole } from "./fixtures/levels.ts";
import { limits } from "./protocol.ts";

const stand = fileURLToPath(new URL("fixtures/mad-checker.js", import.meta.url));

await atEachLevel("a checker", make => {
  let at: ALab;
  let packageRoot: string;
  before(async () => {
    packageRoot = realpathSync(mkdtempSync(join(tmpdir(), "socket-workbook-package-")));
    mkdirSync(join(packageRoot, "dist/server-labs/check"), { recursive: true });
    writeFileSync(join(packageRoot, "package.json"), '{ "type": "module" }');
    cpSync(stand, join(packageRoot, "dist/server-labs/check/main.js"));
    at = await make({ packageRoot });
  });
  after(async () => {
    await at.close();
    rmSync(packageRoot, { recursive: true, force: true });
  });
  const check = (text: string, only?: string[]) =>
    at.runs.startCheck(at.lab, { text, ...(only ? { only } : {}) });

  test("its reports become events, and the end counts them", async () => {
    const run = await check(
      `
      console.log(args.join(" "));
      report({ type: "check", id: "a", title: "A", state: "waiting" });
      report({ type: "check", id: "b", title: "B", state: "waiting" });
      report({ type: "check", id: "a", title: "A", state: "passed", took: 12 });
      report({ type: "check", id: "b", title: "B", state: "failed", failure: { summary: "No.", evidence: ["sent x"] } });
      process.exitCode = 1;`,
      ["a", "b"],
    );
    const events = await whole(run);
    const checks = events.flatMap(e => (e.type === "check" ? [[e.id, e.state]] : []));
    assert.deepEqual(checks, [
      ["a", "waiting"],
      ["b", "waiting"],
      ["a", "passed"],
      ["b", "failed"],
    ]);
    const failed = events.findLast(e => e.type === "check");
    assert.ok(failed?.type === "check");
    assert.deepEqual(failed.failure, { summary: "No.", evidence: ["sent x"] });
    assert.match(textOf(events), /^a\/b --chapters \S+ --file \S+server\.ts --only a --only b\n$/);
    const { sentence, code } = ending(events);
    assert.deepEqual([sentence, code], ["1 of 2 checks passed", 1]);
    assert.deepEqual(
      [run.kind, at.runs.current(at.lab).check, at.runs.current(at.lab).program],
      ["check", run, null],
    );
  });

  test("one that dies before it has checked anything says so, with its last words", async () => {
    const events = await whole(await check(`throw new Error("no such luck");`));
    assert.match(textOf(events, "stderr"), /no such luck/);
    assert.equal(ending(events).sentence, "the checker ended before it had checked anything: exited with 1");
  });

  test("one that dies in the middle says what it knows", async () => {
    const events = await whole(
      await check(`
      report({ id: "a", title: "A", state: "passed" });
      report({ id: "b", title: "B", state: "running" });
      process.kill(process.pid, "SIGKILL");`),
    );
    assert.match(
      ending(events).sentence,
      /^1 of 2 checks passed; the checker ended before it was done: ended by SIGKILL/,
    );
  });

  test("reports that make no sense are counted, not believed", async () => {
    const events = await whole(
      await check(`
      report("nonsense\\n");
      report({ id: "a", title: "A", state: "splendid" });
      report({ id: 7 });
      report(JSON.stringify({ id: "a", title: "x".repeat(100000), state: "passed" }) + "\\n");
      report({ id: "a", title: "A", state: "passed", extra: { run: "other" } });
      report('{"id":"b","title":"unfinished');`),
    );
    const checks = events.filter(e => e.type === "check");
    assert.equal(checks.length, 1);
    assert.deepEqual(Object.keys(checks[0]!).sort(), ["at", "id", "run", "seq", "state", "title", "type"]);
    assert.equal(ending(events).sentence, "1 of 1 check passed; 4 of its reports made no sense");
  });

  test("one that goes on without end is stopped", async () => {
    const run = await check(`report({ id: "a", title: "A", state: "running" }); for (;;);`);
    await first(run, "check");
    assert.deepEqual([run.summary().state, run.summary().sentence], ["running", "checking"]);
    await run.stop();
    assert.equal(ending(await whole(run)).sentence, "stopped: 0 of 1 check passed");
  });

  test("one that takes too long is ended, and what it found is said", async t => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const run = await check(`report({ id: "a", title: "A", state: "passed" }); for (;;);`);
    await first(run, "check");
    t.mock.timers.tick(limits.checkMs);
    t.mock.timers.reset();
    const sentence = "1 of 1 check passed; the checks took more than 60 s and were ended";
    assert.equal(ending(await whole(run)).sentence, sentence);
  });

  test("a text that cannot run is refused before anything is checked", async () => {
    const [refused] = await whole(await check("enum A {}"));
    assert.ok(refused?.type === "refused" && refused.reason === "unsupported");
  });
});
