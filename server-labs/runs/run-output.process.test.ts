import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { atBestLevel, ending, first, fixture, textOf, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import { limits, sentence } from "../protocol.ts";

await atBestLevel("what runs say", (make, level) => {
  let at: TemporaryLab;
  before(async () => {
    at = await make();
  });
  after(() => at.close());
  const start = (text: string) => at.runs.startProgram(at.lab, { text });

  test("a flood is bounded here, counted exactly, and can be stopped", { timeout: 60_000 }, async () => {
    await whole(await start("")); // loads the compiler, which is not what is measured
    const before = process.memoryUsage().rss;
    const run = await start(fixture("floods-stdout.ts"));
    await first(run, "output-omitted", e => e.offset + e.bytes > 200e6);
    const grown = (process.memoryUsage().rss - before) / 1e6;
    assert.ok(grown < 100, `the lab server grew by ${grown} MB`);
    const asked = performance.now();
    await run.stop();
    assert.ok(performance.now() - asked < 20_000);
    const { events } = run.log.read(0, Number.POSITIVE_INFINITY);
    // A gap counts the bytes that were evicted here; with it, every byte is in exactly one event.
    let offset = 0;
    for (const event of events) {
      if (event.type === "gap") offset += event.bytes;
      if (event.type !== "output" && event.type !== "output-omitted") continue;
      assert.equal(event.offset, offset);
      offset += event.bytes;
      if (event.type === "output-omitted") assert.ok(Math.abs(event.lines * 2 - event.bytes) <= 2);
    }
    assert.ok(textOf(events).endsWith("y\n") || textOf(events).endsWith("y"));
    assert.equal(ending(events).sentence, "stopped");
  });

  test("too many calls are counted, and those before the sleep are shown", async () => {
    const run = await start(fixture("makes-calls.ts"));
    await first(run, "output");
    await run.stop();
    let next = 0;
    for (const event of await whole(run)) {
      if (event.type === "gap") next += event.calls;
      if (event.type === "syscalls") for (const { n } of event.calls) next = Math.max(next, n + 1);
      if (event.type === "syscalls-omitted") {
        assert.equal(event.first, next);
        next += event.count;
      }
    }
    assert.ok(next >= 50_001, `${next} calls`);
  });

  test("stderr follows what was printed before it", async () => {
    const text = `for (let i = 0; i < 50; i++) console.log(i);\nconsole.error("then this");`;
    const events = await whole(await start(text));
    const streams = events.flatMap(e => (e.type === "output" ? [e.stream] : []));
    assert.deepEqual([...new Set(streams)], ["stdout", "stderr"]);
    assert.equal(streams.lastIndexOf("stdout") < streams.indexOf("stderr"), true);
  });

  test("binary output and broken UTF-8 harm no other output", async () => {
    const text = `import { writeSync } from "node:fs";
      for (let i = 0; i < 256; i++) writeSync(1, Buffer.from([i, 255 - i, 0xe5]));`;
    const events = await whole(await start(text));
    const bytes = events.reduce((sum, e) => sum + (e.type === "output" ? e.bytes : 0), 0);
    assert.equal(bytes, 768);
  });

  const refusals: [string, string, RegExp][] = [
    ["syntax", "let a: number = ;", /^server\.ts:1:17: Expression expected/],
    ["unsupported", "type A = 1;\nenum Colour { Red }", /^server\.ts:2:1: An enum .* as const instead/],
    ["too-long", "x".repeat(limits.fileBytes + 1), /513 KB long; a lab's file may have 512 KB/],
    ["syntax", "[".repeat(10_000), /nested too deeply/],
    ["unreadable", "", /no such file/],
  ];
  test("a text that cannot run is refused in a sentence", async () => {
    for (const [reason, text, words] of refusals) {
      const run = await at.runs.startProgram(at.lab, reason === "unreadable" ? {} : { text });
      const [refused, ...more] = await whole(run);
      assert.ok(refused?.type === "refused" && more.length === 0);
      assert.equal(refused.reason, reason);
      assert.match(sentence(refused.statement), words);
    }
  });

  test("what a program may see and do is what the level says", async () => {
    process.env.SECRET_OF_THE_LAB_SERVER = "token";
    const text = fixture("probes-sandbox.ts").replace(
      "process.env.LAB_SERVER ?? process.ppid",
      String(process.pid),
    );
    const said = textOf(await whole(await start(text)));
    delete process.env.SECRET_OF_THE_LAB_SERVER;
    const found = Object.fromEntries(said.split("\n").map(line => line.split(": ") as [string, string]));
    assert.equal(found.secret, "undefined", "no variable of the lab server's environment is handed on");
    assert.ok(Number(found.descriptors) <= 4096);
    assert.equal(found["name look-up"], "true");
    if (level === "plain") return;
    assert.notEqual(found.user, "0");
    assert.match(found.shadow!, /^(EACCES|ENOENT)$/);
    assert.match(found.home!, /^(EACCES|ENOENT|[01])$/);
    assert.match(found["write to the home"]!, /^(EACCES|EROFS|ENOENT)$/);
    assert.match(found["write to the root"]!, /^(EACCES|EROFS)$/);
    assert.match(found["kill the lab server"]!, /^(ESRCH|EPERM)$/);
    assert.ok(Number(found.processes) <= 3, `${found.processes} processes are seen`);
    assert.equal(found.scratch, "undefined");
  });
});
