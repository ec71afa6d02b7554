import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ALab } from "./fixtures/a-lab.ts";
import { atEachLevel, ending, first, fixture, textOf, whole } from "./fixtures/levels.ts";
import { freePort, holderOf, isFree, untilFree } from "./ports.ts";
import { isAlive } from "./processes.ts";

const path = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

await atEachLevel("runs and ports", (make, level) => {
  let at: ALab;
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
    assert.equal(run.summary().sentence, `listening on ${run.port}`);
    const asleep = await first(run, "syscalls", e => e.calls.at(-1)!.took === null);
    assert.equal(asleep.calls.at(-1)!.name, "accept4");
    const answer = await fetch(listening.url);
    assert.equal(answer.status, 204);
    await first(run, "output", e => e.text.includes("a client from 127.0.0.1"));
    await first(run, "syscalls", e =>
      e.calls.some(c => c.name === "send" && c.args.includes("204 No Content")),
    );
    await run.stop();
    assert.ok(await isFree(listening.port), "the port is free before 'stopped' is said");
  });

  test("one who listens elsewhere is told so", async () => {
    const run = await start("listens-elsewhere.ts");
    const { port } = await first(run, "listening");
    assert.notEqual(port, run.port);
    assert.equal(run.summary().sentence, `listening on ${port}, not on ${run.port} as it was told`);
    assert.equal(run.summary().state, "listening");
    await run.stop();
  });

  test("a port that a run of ours holds is said with that run, which can be ended instead", async () => {
    const one = await start("listens.ts");
    const { port } = await first(one, "listening");
    const two = await start("listens.ts", port, at.other);
    const [refused] = await whole(two);
    assert.ok(refused?.type === "refused" && refused.reason === "port-taken");
    assert.deepEqual(refused.holder, { run: one.id, lab: at.lab });
    assert.ok(refused.freePort! > port && (await isFree(refused.freePort!)));
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

  test("a port that somebody else holds is said with the holder, who is left alone", async () => {
    const holder = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port) })`,
    ]);
    try {
      const [said] = (await once(holder.stdout, "data")) as [Buffer];
      const port = Number(said);
      const [refused] = await whole(await start("listens.ts", port));
      assert.ok(refused?.type === "refused" && refused.reason === "port-taken");
      assert.ok(refused.holder && "pid" in refused.holder);
      assert.equal(refused.holder.pid, holder.pid);
      assert.match(refused.holder.command, /node -e require/);
      assert.match(refused.sentence, new RegExp(`Port ${port} is held by .*pid ${holder.pid}.*left alone`));
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
    const { sentence } = ending(await whole(run));
    const holder = await holderOf(run.port);
    if (level === "bubblewrap") {
      assert.equal(holder, null);
      return;
    }
    assert.ok(holder);
    process.kill(holder.pid, "SIGKILL");
    assert.ok(sentence.startsWith(`exited with 0; port ${run.port} is held by `), sentence);
    assert.ok(sentence.endsWith(`(pid ${holder.pid})`), sentence);
  });

  for (const [how, fixtureOf] of [
    ["listening", ["listens.ts"]],
    ["paused", ["greets.ts", "epoll_ctl"]],
  ] as const)
    test(`the lab server's SIGKILL takes its runs along: ${how}`, { timeout: 30_000 }, async () => {
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
        const [said] = (await once(server.stdout, "data")) as [Buffer];
        assert.equal(String(said), `${how} on ${port}\n`);
        const holder = (await holderOf(port))!;
        server.kill("SIGKILL");
        assert.ok(await untilFree([port], 5000), "the port is free");
        // Its descriptors are closed a moment before it is gone itself.
        const patience = performance.now() + 5000;
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
  assert.ok(await untilFree([port], 1000));
});
