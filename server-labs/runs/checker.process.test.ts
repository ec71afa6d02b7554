import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Lab } from "../book/book.ts";
import { noUse, plainLevel } from "../fixtures/plain-sandbox.ts";
import { atBestLevel, ending, first, textOf, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import { strip } from "../modules/strip.ts";
import type { Launched } from "../process/launch.ts";
import { limits, sentence } from "../protocol.ts";
import { checkerPart } from "./checker.ts";
import { ProcessRun } from "./run.ts";

const garbledChecker = fileURLToPath(new URL("../fixtures/garbled-checker.js", import.meta.url));

test("a checker's end does not wait for a process that escaped with its pipe", {
  timeout: 60_000,
}, async t => {
  const folder = mkdtempSync(join(tmpdir(), "workbook-checker-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = new ProcessRun("r1", "a/b", "check", () => {});
  const chapter = { id: "a", title: "A", folder: join(folder, "chapter") };
  const part = await checkerPart({
    run,
    sandbox: plainLevel,
    packageRoot: folder,
    folder: { path: folder, mark: "m", write: name => name, remove: async () => {} },
    workspace: folder,
    lab: { id: "a/b", chapter, checksFile: "checks.ts" } as Lab,
    ...{ name: "server.ts", modules: new Map(), strip, only: [], scoreboard: false, folderUse: noUse },
  });
  const held = new Duplex({ read() {}, write() {} });
  part.attach({ pipes: [held] } as unknown as Launched);
  held.push('{"id":"a","title":"A","state":"passed"}\n');
  const ending = { code: 0, signal: null, ambiguous: false };
  const end = await part.finish({ ending, stopped: false, killed: false, lastWords: "", exceeded: null });
  assert.deepEqual(end, {
    ending,
    statement: { code: "checks-made", checks: { passed: 1, all: 1, unobserved: 0, unjudged: 0 }, garbled: 0 },
  });
  assert.ok(held.destroyed);
});

await atBestLevel("a checker", make => {
  let at: TemporaryLab;
  let packageRoot: string;
  before(async () => {
    packageRoot = realpathSync(mkdtempSync(join(tmpdir(), "socket-workbook-package-")));
    mkdirSync(join(packageRoot, "dist/server-labs/check"), { recursive: true });
    writeFileSync(join(packageRoot, "package.json"), '{ "type": "module" }');
    cpSync(garbledChecker, join(packageRoot, "dist/server-labs/check/main.js"));
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
    const end = ending(events);
    assert.deepEqual([end.sentence, end.code], ["1 of 2 checks passed", 1]);
    assert.deepEqual(
      [run.kind, at.runs.current(at.lab).check, at.runs.current(at.lab).program],
      ["check", run, null],
    );
  });

  test("of a scoreboard the end counts the student's server, and asks for the end of each other one", async () => {
    const board = (more: string) =>
      at.runs.startCheck(at.lab, {
        text: `
      console.log(args.join(" "));
      report({ type: "scoreboard", servers: [{ id: "own", name: "server.ts" }, { id: "b", name: "B" }] });
      report({ id: "a", title: "A", state: "passed" });
      report({ id: "a", title: "A", state: "running", server: "b" });
      ${more}`,
        scoreboard: true,
      });
    const events = await whole(await board('report({ id: "a", title: "A", state: "failed", server: "b" });'));
    assert.match(textOf(events), / --scoreboard\n$/);
    const seen = events.flatMap(e => (e.type === "check" ? [[e.server, e.state]] : []));
    assert.deepEqual(seen, [
      [undefined, "passed"],
      ["b", "running"],
      ["b", "failed"],
    ]);
    assert.ok(events.some(e => e.type === "scoreboard" && e.servers.length === 2));
    assert.equal(ending(events).sentence, "1 of 1 check passed");
    const early = ending(await whole(await board(""))).sentence;
    assert.match(early, /^1 of 1 check passed; the checker ended before it was done/);
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
    assert.equal(ending(events).sentence, "1 of 1 check passed; 4 of the checker's reports made no sense");
  });

  test("one that goes on without end is stopped", async () => {
    const run = await check(`report({ id: "a", title: "A", state: "running" }); for (;;);`);
    await first(run, "check");
    assert.deepEqual([run.summary().state, sentence(run.summary().statement)], ["running", "checking"]);
    await run.stop();
    assert.equal(ending(await whole(run)).sentence, "stopped: 0 of 1 check passed");
  });

  test("a check that takes too long is ended, and its findings are reported", async t => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const run = await check(`report({ id: "a", title: "A", state: "passed" }); for (;;);`);
    await first(run, "check");
    t.mock.timers.tick(limits.checkMs);
    t.mock.timers.reset();
    const late = "1 of 1 check passed; the checks took more than 60 s and were ended";
    assert.equal(ending(await whole(run)).sentence, late);
  });

  test("a text that cannot run is refused before anything is checked", async () => {
    const [refused] = await whole(await check("enum A {}"));
    assert.ok(refused?.type === "refused" && refused.reason === "unsupported");
  });
});
