// Pause, step, slow motion and breakpoints on real programs with real clients, which go on while the program waits.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { text as textOfStream } from "node:stream/consumers";
import { after, afterEach, before, test } from "node:test";
import { noUse, plainLevel } from "../fixtures/plain-sandbox.ts";
import { atBestLevel, ending, first, fixture, textOf, whole } from "../fixtures/run-helpers.ts";
import type { TemporaryLab } from "../fixtures/temporary-lab.ts";
import type { Spare } from "../process/spare.ts";
import { type EventOf, type Pace, type PaceBody, paceSentence } from "../protocol.ts";
import { programPart } from "../runs/program.ts";
import { ProcessRun } from "../runs/run.ts";
import { createTraceMemory } from "../trace/memory.ts";
import { Pacer } from "./pacer.ts";

const me = "page 1";

/** The first pace event for which something holds. */
function paceWhere(run: ProcessRun, holds: (pace: Pace) => boolean): Promise<EventOf<"pace">> {
  return first(run, "pace", holds);
}

/** A client that says something; resolves with the answer when the server has closed. */
function client(port: number, says: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(says);
  return textOfStream(socket);
}

/** How many clients wait in the accept queue of the listener on this port: its Recv-Q in /proc/net/tcp. */
function acceptQueue(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const row = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .find(line => line.includes(`:${hex} 00000000:0000 0A`))!;
  return Number.parseInt(row.trim().split(/\s+/)[4]!.split(":")[1]!, 16);
}

test("a program that could not be started, though a page had paced it by then, gets no further look", async t => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const run = new ProcessRun("r1", "a/b", "program", () => {});
  const spare = {
    folder: { write: () => "/server.mjs" },
    memory: createTraceMemory(),
    end: async () => {},
  } as unknown as Spare;
  const setting = { sandbox: plainLevel, packageRoot: "", workspace: "", descriptors: 64 };
  const modules = new Map([["/server.ts", { javascript: "", etag: "" }]]);
  const files = { name: "/server.ts", modules, args: [], port: 0, folderUse: noUse };
  const part = await programPart({ run, take: async () => spare, setting, ...files });
  await run.pacer!.change(me, { mode: "paused" });
  await part.dispose();
  run.refuse({
    reason: "cannot-start",
    statement: { code: "process-not-started", text: "No process is left." },
  });
  t.mock.timers.tick(1000); // a look at what it does instead would be an event after the last one, which throws
  assert.equal(paceSentence(run.log.newest("pace")!), "ended before it came to a stop");
});

test("the first message of a program that is read after its end changes nothing", () => {
  const said: Pace[] = [];
  const pacer = new Pacer(pace => said.push(pace));
  pacer.start({ mode: "paused" });
  pacer.end();
  pacer.attach({
    send() {},
    peek: async () => null,
    calls: () => 0,
    call: () => null,
    readTrace() {},
    busy: () => false,
  });
  assert.deepEqual(said, []);
});

await atBestLevel("pace", make => {
  let at: TemporaryLab;
  before(async () => {
    at = await make();
  });
  after(() => at.close());
  // Also of a test that failed: its run would keep the whole file waiting.
  afterEach(() => at.runs.current(at.lab).program?.stop());
  const start = async (text: string, pace?: PaceBody) => {
    const run = await at.runs.startProgram(at.lab, { text, port: 0, ...(pace ? { pace } : {}) });
    return { run, pacer: run.pacer! };
  };
  const greets = () => fixture("greets.ts");

  test("a driver may disconnect when the program has ended", async () => {
    const { run, pacer } = await start(greets(), { mode: "paused" });
    pacer.drive(me);
    await run.stop();
    pacer.onDisconnect(me);
    assert.equal((await whole(run)).at(-1)?.type, "exited");
  });

  test("a program that has ended is neither driven nor paced nor stepped", async () => {
    const { run, pacer } = await start(greets(), { mode: "paused" });
    await run.stop();
    const events = await whole(run);
    const refused = { name: "Refusal", message: /^This program has ended\. Start it again/ };
    assert.throws(() => pacer.drive(me), refused);
    await assert.rejects(pacer.change(me, { mode: "full" }), refused);
    await assert.rejects(pacer.step(me, {}), refused);
    assert.equal(run.log.nextSeq, events.length);
  });

  test("from its first call, step by step: before and after each, in words", async () => {
    const { run, pacer } = await start(greets(), { mode: "paused" });
    const stopped = await paceWhere(run, pace => pace.state === "stopped");
    assert.deepEqual(stopped.stop, {
      where: "before",
      n: 0,
      call: { name: "socket", made: "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC)", gave: "" },
      because: "asked",
    });
    assert.equal(paceSentence(stopped), "paused before socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC)");
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) seen.push(paceSentence(await pacer.step(me, {})));
    seen.push(paceSentence(await pacer.step(me, { to: "call" })));
    const { port } = run;
    assert.match(seen[0]!, /^paused after socket\(AF_INET, SOCK_STREAM\|SOCK_CLOEXEC\) = \d+$/);
    assert.match(seen[1]!, /^paused before setsockopt\(\d+, SOL_SOCKET, SO_REUSEADDR, 1\)$/);
    assert.match(seen[2]!, /^paused after setsockopt\(.*\) = 0$/);
    assert.match(seen[3]!, new RegExp(`^paused before bind\\(\\d+, \\{127\\.0\\.0\\.1:${port}\\}\\)$`));
    assert.match(seen[4]!, /^paused before listen\(\d+, 50\)$/);
    const { where, n, because } = pacer.pace.stop!;
    assert.deepEqual([where, n, because], ["before", 3, "step"]);
    assert.equal(run.log.ended, false);
    await run.stop();
    const events = await whole(run);
    assert.equal(ending(events).sentence, "stopped");
    assert.match(
      paceSentence(events.findLast(event => event.type === "pace")!),
      /^ended while paused before listen/,
    );
    const calls = events.flatMap(event => (event.type === "syscalls" ? event.calls : []));
    assert.deepEqual(
      calls.filter(call => call.took !== null || call.n === 3).map(call => [call.call, call.line]),
      [
        ["socket", 4],
        ["setsockopt", 5],
        ["bind", 6],
        ["listen", 7],
      ],
    );
  });

  test("clients go on while it waits: the accept queue grows, and a peek sees it", async () => {
    const { run, pacer } = await start(greets(), { breakpoints: [{ name: "accept4" }] });
    const { port } = await first(run, "listening");
    const one = client(port, "one");
    const stopped = await paceWhere(run, pace => pace.state === "stopped");
    assert.equal(stopped.mode, "paused");
    assert.match(paceSentence(stopped), /^paused before accept4\(\d+, .*\), at the breakpoint on accept4$/);
    assert.equal(acceptQueue(port), 1);
    const others = [client(port, "two"), client(port, "three")];
    while (acceptQueue(port) < 3) await new Promise(setImmediate);
    const calls = (await soFar(run)).flatMap(event => (event.type === "syscalls" ? event.calls : []));
    const listener = calls.find(call => call.call === "listen")!.fd!;
    const epoll = calls.find(call => call.call === "epoll_create1")!.returned;
    for (let i = 0; i < 3; i++) {
      const ready = await run.peek([listener, epoll, 999]);
      assert.deepEqual(
        [...ready!],
        [
          [listener, 1],
          [epoll, 1],
          [999, 0x20],
        ],
      );
    }
    assert.equal(acceptQueue(port), 3, "a peek takes nothing");
    await pacer.change(me, { mode: "full", breakpoints: [] });
    assert.deepEqual(await Promise.all([one, ...others]), ["you said one", "you said two", "you said three"]);
    await run.stop();
  });

  test("asleep in epoll_wait it says so, and stops as soon as that returns", async () => {
    const { run, pacer } = await start(greets());
    const { port } = await first(run, "listening");
    await first(run, "syscalls", event => event.calls.some(call => call.call === "epoll_wait"));
    assert.equal(await run.peek([0]), null);
    const pace = await pacer.change(me, { mode: "paused" });
    assert.equal(pace.state, "stopping");
    assert.match(paceSentence(pace), /^will pause when epoll_wait\(\d+\) returns: it is asleep there$/);
    const said = client(port, "wake up");
    const stopped = await paceWhere(run, pace => pace.state === "stopped");
    assert.match(paceSentence(stopped), /^paused after epoll_wait\(.*EPOLLIN.*\) = 1$/);
    assert.deepEqual([stopped.stop!.where, stopped.stop!.because], ["after", "asked"]);
    await pacer.change(me, { mode: "full" });
    assert.equal(await said, "you said wake up");
    await run.stop();
  });

  test("a flood of calls is paused, and stepped, at a call that is shown", async () => {
    const { run, pacer } = await start(fixture("floods-calls.ts"));
    await first(run, "output");
    const { state, stop } = await pacer.change(me, { mode: "paused" });
    assert.equal(state, "stopped");
    const { n } = stop!;
    assert.ok(n > 10_000, String(n));
    await first(run, "syscalls", event => event.calls.some(call => call.n === n && call.line === 8));
    const next = await pacer.step(me, { to: "call" });
    assert.equal(next.stop!.n, n + 1);
    await pacer.change(me, { mode: "full", breakpoints: [] });
    await run.stop();
  });

  test("slow motion waits before each call, and says no more than that it does", async () => {
    const { run, pacer } = await start(greets(), { mode: "slow", delayMs: 30 });
    const { at: listened } = await first(run, "listening");
    assert.ok(listened >= 4 * 30, `four calls, ${listened} ms`);
    const seen = [client(run.port, "one"), client(run.port, "two")];
    assert.deepEqual(await Promise.all(seen), ["you said one", "you said two"]);
    const events = await soFar(run);
    const said = events.filter(event => event.type === "pace");
    assert.equal(said.length, 1);
    assert.equal(paceSentence(said[0]!), "goes in slow motion: waits 30 ms before each call");
    const stopped = await pacer.change(me, { mode: "paused" });
    assert.ok(["stopped", "stopping"].includes(stopped.state));
    const full = await pacer.change(me, { mode: "full" });
    assert.deepEqual([full.mode, full.state, full.delayMs], ["full", "going", 30]);
  });

  test("a breakpoint on an error stops after the call, and the driver may go on to the next", async () => {
    const { run, pacer } = await start(fixture("recvs-too-soon.ts"), { breakpoints: [{ errno: "EAGAIN" }] });
    for (const call of [8, 9]) {
      const pace = await paceWhere(run, pace => pace.state === "stopped" && pace.stop!.n === call);
      const { stop } = pace;
      assert.match(
        paceSentence(pace),
        /^paused after recv\(\d+, 1024\) = -1 EAGAIN \(would block\), at the breakpoint on any call that fails with EAGAIN$/,
      );
      assert.deepEqual([stop!.where, stop!.because, stop!.breakpoint], ["after", "breakpoint", 0]);
      await pacer.change(me, { mode: "full" });
    }
    await run.ended;
    assert.equal(ending(await whole(run)).code, 0);
    assert.equal(
      paceSentence(pacer.pace),
      "runs at full speed, to a breakpoint: any call that fails with EAGAIN",
      "as it went to its end",
    );
  });

  test("stop ends a paused program at once, and before it makes another call", async () => {
    const { run } = await start(greets(), { breakpoints: [{ name: "listen" }] });
    await paceWhere(run, pace => pace.state === "stopped");
    await run.stop();
    const events = await whole(run);
    const { sentence, signal } = ending(events);
    assert.deepEqual([sentence, signal], ["stopped", "SIGTERM"]);
    assert.ok(!events.some(event => event.type === "listening"), "listen was not made");
    assert.match(
      paceSentence(events.findLast(event => event.type === "pace")!),
      /^ended while paused before listen\(\d+, 50\), at the breakpoint on listen$/,
    );
  });

  test("a paused program that handles SIGTERM is let go to do so", async () => {
    const text = `import { Socket } from "workbook/net";
      process.on("SIGTERM", () => { console.log("closing"); process.exit(0); });
      console.log("ready");
      setTimeout(() => new Socket(), 1);
      setInterval(() => {}, 1000);`;
    const { run } = await start(text, { mode: "paused" });
    await paceWhere(run, pace => pace.state === "stopped");
    await run.stop();
    const events = await whole(run);
    assert.equal(textOf(events), "ready\nclosing\n");
    assert.deepEqual([ending(events).code, ending(events).sentence], [0, "stopped"]);
  });

  test("the page that asks first drives; others are refused, may take over, or drive when it has gone", async () => {
    const { run, pacer } = await start(greets(), { mode: "paused" });
    await paceWhere(run, pace => pace.state === "stopped");
    assert.equal(pacer.pace.driver, null);
    assert.equal((await pacer.step(me, {})).driver, me);
    const refused = { name: "Refusal", message: /^page 1 drives this run.*"take": true.*/ };
    await assert.rejects(pacer.step("a shell", {}), refused);
    await assert.rejects(pacer.change("a shell", { mode: "full" }), refused);
    assert.equal(pacer.pace.stop!.where, "after", "it has not moved");
    assert.equal((await pacer.step("a shell", { take: true })).driver, "a shell");
    pacer.onDisconnect(me);
    assert.equal(pacer.pace.driver, "a shell", "the page that has left is not the driver");
    pacer.onDisconnect("a shell");
    assert.deepEqual([pacer.pace.driver, pacer.pace.state], [null, "stopped"]);
    assert.equal(pacer.drive(me).driver, me);
  });

  test("unknown names are refused with the nearest known names", async () => {
    const { pacer } = await start(greets());
    for (const [breakpoint, words] of [
      [{ name: "acept4" }, /No call that is traced has the name "acept4". Did you mean "accept4"\?/],
      [{ errno: "EAGIAN" }, /no error of the name "EAGIAN". Did you mean "EAGAIN"\?/],
    ] as const)
      await assert.rejects(pacer.change(me, { breakpoints: [breakpoint] }), {
        name: "Refusal",
        message: words,
      });
    assert.deepEqual([pacer.pace.breakpoints, pacer.pace.driver], [[], null]);
  });

  test("garbage on the control socket changes nothing", async () => {
    const text = `
      import fs from "node:fs";
      import { Socket } from "workbook/net";
      for (const words of ["hello", "{}", '{"type":"stopped"}', '{"type":"peeked","id":1,"fds":[[1]]}',
        '{"type":"stopped","where":"before","n":-1,"because":"asked"}', "x".repeat(100_000), "null", "[]"])
        fs.writeSync(3, words + "\\n");
      fs.writeSync(3, '{"type":"stopped","where":"before","n":7,"because":"breakpoint","breakpoint":9}\\n');
      fs.writeSync(3, '{"type":"going"}\\n');
      console.log("said");
      for (;;) new Socket().close();`;
    const { run, pacer } = await start(text);
    await first(run, "output", event => event.text.includes("said"));
    const { stop, state } = await pacer.change(me, { mode: "paused" });
    assert.equal(state, "stopped");
    assert.equal(stop!.because, "asked");
    assert.ok((await pacer.step(me, { to: "call" })).stop!.n > stop!.n);
  });

  test("of a program that has closed the control socket the state says that it does not stop", async () => {
    const text = `
      import fs from "node:fs";
      import { Socket } from "workbook/net";
      fs.closeSync(3);
      console.log("closed");
      for (;;) new Socket().close();`;
    const { run, pacer } = await start(text);
    await first(run, "output", event => event.text.includes("closed"));
    await pacer.change(me, { mode: "paused" });
    await paceWhere(run, pace => pace.instead?.code === "cannot-be-paused");
    assert.equal(pacer.pace.state, "stopping");
    await run.stop();
    assert.equal(ending(await whole(run)).sentence, "stopped");
  });

  test("it says that it makes no calls: busy, or asleep in Node", async () => {
    for (const [text, words] of [
      ["console.log('here'); for (;;);", /it has made no call yet: it is busy with its own code/],
      ["console.log('here'); setInterval(() => {}, 1e6);", /it has made no call yet: Node sleeps/],
    ] as const) {
      const { run, pacer } = await start(text);
      await first(run, "output", event => textOf([event]).includes("here"));
      const pace = await pacer.change(me, { mode: "paused" });
      assert.equal(pace.state, "stopping");
      assert.match(paceSentence(pace), words);
      await run.stop();
    }
  });
});

async function soFar(run: ProcessRun) {
  return run.log.read(0, Number.POSITIVE_INFINITY).events;
}
