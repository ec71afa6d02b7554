import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { atEachSandboxLevel, ending, first, fixture, textOf, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import { heapMegabytes } from "../lib/node-flags.ts";
import { processFacts } from "../process/processes.ts";
import { limits, sentence } from "../protocol.ts";

await atEachSandboxLevel("how runs end", (make, level) => {
  let at: TemporaryLab;
  before(async () => {
    at = await make();
  });
  after(() => at.close());
  const start = (name: string) => at.runs.startProgram(at.lab, { text: fixture(name) });

  test("a program that exits at once has said everything", async () => {
    const run = await start("exits-at-once.ts");
    const events = await whole(run);
    assert.deepEqual(
      events.map(e => e.type),
      ["starting", "output", "exited"],
    );
    assert.equal(textOf(events), "bye\n");
    const { code, signal, sentence, stopped } = ending(events);
    assert.deepEqual(
      { code, signal, sentence, stopped },
      { code: 0, signal: null, sentence: "exited with 0", stopped: false },
    );
    assert.equal(run.summary().state, "exited");
    const [starting] = events;
    assert.ok(starting?.type === "starting" && starting.sandbox.level === level);
    assert.equal(starting.command, `server.ts ${starting.port}`);
    assert.ok(Math.abs(starting.began - Date.now()) < 60_000);
  });

  test("an error names the student's file and the line as written", async () => {
    const events = await whole(await start("throws.ts"));
    const stack = textOf(events, "stderr");
    assert.match(stack, /Error: no way to handle a/);
    assert.ok(stack.includes(`${at.folder}/a/b/server.ts:9`), stack);
    assert.equal(ending(events).sentence, "exited with 1");
  });

  test("an error that only Node's parser finds has its line, too", async () => {
    const run = await at.runs.startProgram(at.lab, { text: "const a = 1;\nlet b: number;\nconst a = 2;\n" });
    const events = await whole(run);
    const said = textOf(events, "stderr");
    assert.match(said, /server\.ts:3/);
    assert.match(said, /SyntaxError: Identifier 'a' has already been declared/);
    assert.equal(ending(events).code, 1);
  });

  test("a loop without end is stopped, within the grace", async () => {
    const run = await start("loops.ts");
    await first(run, "output");
    await run.stop();
    const { sentence, stopped, signal } = ending(await whole(run));
    assert.deepEqual([sentence, stopped, signal], ["stopped", true, "SIGTERM"]);
  });

  test("SIGTERM is heard: a program may close what it has open", async () => {
    const run = await start("ends-gracefully.ts");
    await first(run, "output");
    await run.stop();
    const events = await whole(run);
    assert.equal(textOf(events), "ready\nclosing\n");
    assert.deepEqual([ending(events).code, ending(events).sentence], [0, "stopped"]);
  });

  test("one that ignores SIGTERM is killed after the grace", async () => {
    const run = await start("ignores-sigterm.ts");
    await first(run, "output");
    const asked = performance.now();
    await run.stop();
    assert.ok(performance.now() - asked >= limits.graceMs);
    const events = await whole(run);
    assert.equal(textOf(events), "ready\nno\n");
    assert.match(ending(events).sentence, /did not end within 1500 ms of SIGTERM, so it was killed/);
  });

  test("one that ends at once is not said to be killed when its sandbox is slow", {
    skip: level !== "bubblewrap" && "There is no sandbox.",
  }, async () => {
    const run = await start("loops.ts");
    await first(run, "output");
    const init = processFacts(run.program()!)!.parent;
    process.kill(processFacts(init)!.parent, "SIGSTOP"); // bubblewrap, as a machine that gives it no time
    await run.stop();
    assert.equal(ending(await whole(run)).sentence, "stopped");
  });

  test("100,000 lines and then SIGSEGV: the last line is there, and the signal has its name", async () => {
    const events = await whole(await start("prints-then-crashes.ts"));
    const text = textOf(events);
    assert.ok(text.endsWith("line 99999\nline 100000\n"), text.slice(-100));
    const { sentence, signal, code } = ending(events);
    assert.equal(sentence, "ended by SIGSEGV (a bad pointer was given to the kernel or to a C function)");
    assert.deepEqual([signal, code], ["SIGSEGV", null]);
  });

  test("a status of 139 is not taken for a signal", async () => {
    const { code, signal, sentence } = ending(await whole(await start("exits-with.ts")));
    assert.deepEqual([code, signal, sentence], [139, null, "exited with 139"]);
  });

  test("a full heap is reported as a full heap", { timeout: 60_000 }, async () => {
    const { sentence } = ending(await whole(await start("fills-the-heap.ts")));
    assert.equal(sentence, `ran out of memory: its JavaScript objects needed more than ${heapMegabytes} MB`);
  });

  test("a program that closes its stdout goes on, and ends well", async () => {
    const events = await whole(await start("closes-stdout.ts"));
    assert.equal(textOf(events), "before\n");
    assert.ok(textOf(events, "stderr").startsWith("after\n"));
    assert.equal(ending(events).code, 0);
  });

  test("starting again ends the one before first; old runs are forgotten", async () => {
    const one = await start("ignores-sigterm.ts");
    const [two, three] = await Promise.all([start("ignores-sigterm.ts"), start("ends-gracefully.ts")]);
    assert.ok(one.log.ended && two.log.ended && !three.log.ended);
    assert.equal(at.runs.current(at.lab).program, three);
    await three.stop();
    for (let i = 0; i < 4; i++) await whole(await start("exits-at-once.ts"));
    assert.equal(at.runs.get(one.id), undefined);
  });

  test("nothing of an ended run is left: no folder, no descriptor", async () => {
    await whole(await start("exits-at-once.ts"));
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 3; i++) await whole(await start("exits-at-once.ts"));
    assert.ok(readdirSync("/proc/self/fd").length <= before);
  });

  test("a change of a run's state reaches the listeners", async () => {
    const heard: string[] = [];
    const leave = at.runs.onChange(lab => {
      const { state, statement } = at.runs.current(lab).program!.summary();
      heard.push(`${state}: ${sentence(statement)}`);
    });
    const run = await at.runs.startProgram(at.lab, { text: fixture("listens.ts") });
    const { port } = await first(run, "listening");
    await run.stop();
    leave();
    const distinct = heard.filter((said, i) => said !== heard[i - 1]);
    assert.deepEqual(distinct, [
      "starting: starting",
      `listening: listening on ${port}`,
      "stopping: stopping",
      "exited: stopped",
    ]);
  });
});
