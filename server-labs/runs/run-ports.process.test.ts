import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { firstWords } from "../fixtures/first-words.ts";
import { atEachSandboxLevel, ending, first, fixture, textOf, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import { freePort, holderOf, isFree, untilFree } from "../kernel/ports.ts";
import { isAlive } from "../process/processes.ts";
import { notation, sentence } from "../protocol.ts";

const path = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

await atEachSandboxLevel("runs and ports", (make, level) => {
  let at: TemporaryLab;
  before(async () => {
    at = await make();
  });
  after(() => at.close());
  const start = (name: string, port?: number, lab = at.lab) =>
    at.runs.startProgram(lab, { text: fixture(name), ...(port === undefined ? {} : { port }) });

  test("listening is read off the trace; curl's request is seen in output and calls", async () => {
    const run = await start("listens.ts");
    const listening = await first(run, "listening");
    assert.deepEqual([listening.host, listening.port], ["127.0.0.1", run.port]);
    assert.equal(listening.url, `http://127.0.0.1:${run.port}/`);
    assert.equal(sentence(run.summary().statement), `listening on ${run.port}`);
    const asleep = await first(run, "syscalls", e => e.calls.at(-1)!.took === null);
    assert.equal(asleep.calls.at(-1)!.call, "accept4");
    const answer = await fetch(listening.url);
    assert.equal(answer.status, 204);
    await first(run, "output", e => e.text.includes("a client from 127.0.0.1"));
    await first(run, "syscalls", e =>
      e.calls.some(c => c.call === "send" && notation(c).includes("204 No Content")),
    );
    await run.stop();
    assert.ok(await isFree(listening.port), "the port is free before 'stopped' is reported");
  });

  for (const [name, code, words] of [
    [
      "listens-in-node.ts",
      "listens-untraced",
      /^The program listens on port \d+ with calls that are not traced/,
    ],
    ["listens-in-a-worker.ts", "listens-untraced", /or of a worker thread/],
    ["listens-in-a-child.ts", "child-listens-untraced", /^A process that the program has started .*node -e /],
  ] as const)
    test(`what the trace does not see listens all the same, and clients come: ${name}`, async () => {
      const run = await start(name);
      const { port, url, statement } = await first(run, "listening");
      assert.deepEqual([port, run.summary().state], [run.port, "listening"]);
      assert.ok(statement?.code === code, JSON.stringify(statement));
      assert.match(sentence(statement), words);
      assert.equal((await fetch(url)).status, 200);
      await run.visits!.start({ kind: "get" });
      const done = await first(run, "visit", step => step.what === "done");
      assert.match(sentence(done.statement), /answered 200/);
      await run.stop();
      const events = await whole(run);
      assert.equal(events.filter(({ type }) => type === "listening").length, 1);
      assert.ok(await isFree(port));
    });

  test("a client that is sent before /proc was looked at: it is looked at then", async () => {
    const text = `import { createServer } from "node:net";
      createServer(() => {}).listen(Number(process.argv[2]), "127.0.0.1");`;
    const run = await at.runs.startProgram(at.lab, { text });
    while ((await holderOf(run.port)) === null) await new Promise(resolve => setImmediate(resolve));
    await run.visits!.start({ kind: "silent" });
    await first(run, "visit", step => step.what === "connected");
    await run.stop();
  });

  test("a listener that the trace has seen is traced, also when /proc is looked at first", async () => {
    const run = await start("listens.ts");
    while ((await holderOf(run.port)) === null) await new Promise(resolve => setImmediate(resolve));
    await run.visits!.start({ kind: "get" });
    assert.equal((await first(run, "listening")).statement, undefined);
    await run.stop();
  });

  test("a program that listens on another port gets a warning", async () => {
    const run = await start("listens-elsewhere.ts");
    const { port } = await first(run, "listening");
    assert.notEqual(port, run.port);
    assert.equal(
      sentence(run.summary().statement),
      `listening on ${port}, not on ${run.port}, the port that it was given`,
    );
    assert.equal(run.summary().state, "listening");
    await run.stop();
  });

  test("a port that another run holds is refused with the name of that run, which can be ended", async () => {
    const one = await start("listens.ts");
    const { port } = await first(one, "listening");
    const two = await start("listens.ts", port, at.other);
    const [refused] = await whole(two);
    assert.ok(refused?.type === "refused" && refused.reason === "port-taken");
    const { statement } = refused;
    assert.ok(statement.code === "port-held-by-run");
    assert.deepEqual(statement.holder, { run: one.id, lab: at.lab, kind: "program" });
    assert.ok(statement.freePort > port && (await isFree(statement.freePort)));
    assert.equal(two.summary().state, "refused");
    const three = await at.runs.startProgram(at.other, {
      text: fixture("listens.ts"),
      port,
      instead: one.id,
    });
    assert.ok(one.log.ended);
    assert.equal((await first(three, "listening")).port, port);
    await three.stop();
  });

  test("the same lab's own earlier run is simply replaced", async () => {
    const one = await start("listens.ts");
    const { port } = await first(one, "listening");
    const two = await start("listens.ts", port);
    assert.equal((await first(two, "listening")).port, port);
    assert.ok(ending(await whole(one)).stopped);
    await two.stop();
  });

  test("a port that another process holds is refused with the name of the process, which goes on", async () => {
    const holder = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port) })`,
    ]);
    try {
      const port = Number(await firstWords(holder));
      const [refused] = await whole(await start("listens.ts", port));
      assert.ok(refused?.type === "refused" && refused.reason === "port-taken");
      const { statement } = refused;
      assert.ok(statement.code === "port-held-by-process");
      assert.equal(statement.holder.pid, holder.pid);
      assert.match(statement.holder.command, /node -e require/);
      const words = new RegExp(`Port ${port} is held by .*pid ${holder.pid}.*left alone`);
      assert.match(sentence(statement), words);
      assert.ok(isAlive(holder.pid!));
    } finally {
      holder.kill();
    }
  });

  test("a daemon that its program leaves behind ends with the run, and frees the port", async () => {
    const run = await start("leaves-a-daemon.ts");
    const events = await whole(run);
    assert.equal(textOf(events), "the daemon holds the port\n");
    assert.equal(ending(events).sentence, "exited with 0");
    assert.equal(await holderOf(run.port), null);
  });

  test("a daemon that also drops its environment ends in bubblewrap; at level plain it is named", async () => {
    const text = fixture("leaves-a-daemon.ts").replace("detached: true,", "detached: true, env: {},");
    const run = await at.runs.startProgram(at.lab, { text });
    const end = ending(await whole(run));
    const holder = await holderOf(run.port);
    if (level === "bubblewrap") {
      assert.equal(holder, null);
      return;
    }
    assert.ok(holder);
    process.kill(holder.pid, "SIGKILL");
    assert.ok(end.sentence.startsWith(`exited with 0; port ${run.port} is held by `), end.sentence);
    assert.ok(end.sentence.endsWith(`(pid ${holder.pid})`), end.sentence);
  });

  for (const [how, fixtureOf] of [
    ["listening", ["listens.ts"]],
    ["paused", ["greets.ts", "epoll_ctl"]],
  ] as const)
    test(`the lab server's SIGKILL takes its runs along: ${how}`, { timeout: 60_000 }, async () => {
      const port = await freePort();
      const [file, ...more] = fixtureOf;
      const server = spawn(
        process.execPath,
        ["--import", "tsx", path("lab-server.ts"), path(file), String(port), ...more],
        {
          stdio: ["ignore", "pipe", "inherit"],
          // Its temporary files go with this test's: it cannot clean up after itself.
          env: { ...process.env, TMPDIR: at.folder, WORKBOOK_SANDBOX: level === "plain" ? "off" : level },
        },
      );
      try {
        assert.equal(await firstWords(server), `${how} on ${port}`);
        const holder = (await holderOf(port))!;
        server.kill("SIGKILL");
        assert.ok(await untilFree([port], 20_000), "the port is free");
        // Its descriptors are closed a moment before it is gone itself.
        const patience = performance.now() + 20_000;
        while (isAlive(holder.pid)) assert.ok(performance.now() < patience, "the program is gone");
      } finally {
        server.kill("SIGKILL");
      }
    });
});

test("a port that is bound, but not listened on, is not free either", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  assert.equal(await isFree(port), false);
  assert.equal((await holderOf(port))?.pid, process.pid);
  assert.ok((await freePort(port)) > port);
  assert.equal(await untilFree([port], 20), false);
  server.close();
  assert.ok(await untilFree([port], 20_000));
});
