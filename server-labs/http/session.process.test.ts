// Session: the state of a lab comes before its events, a slow page never holds a run up, two pages see the same, and a
// page that goes away takes nothing along.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import WebSocket from "ws";
import type { EventLog } from "../events/event-log.ts";
import { plainSandbox } from "../fixtures/plain-sandbox.ts";
import { labId, openSocket, testLabServer } from "../fixtures/test-lab-server.ts";
import {
  type Event,
  limits,
  type Message,
  type Notice,
  type Request,
  type RunBody,
  sentence,
} from "../protocol.ts";
import { pingMs, Sessions } from "./sessions.ts";

const labServer = testLabServer();

/** A page as a test sees it: says requests, hears messages one by one. */
class Page {
  readonly socket: WebSocket;
  readonly #heard: Message[] = [];
  #waiting: ((message: Message) => void) | null = null;

  constructor() {
    this.socket = openSocket(labServer);
    this.socket.on("message", data => {
      const message = JSON.parse(String(data)) as Message;
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting) waiting(message);
      else this.#heard.push(message);
    });
  }

  static async open(): Promise<Page> {
    const page = new Page();
    assert.equal((await page.hear()).type, "hello");
    return page;
  }

  send(request: Request | object | string): void {
    this.socket.send(typeof request === "string" ? request : JSON.stringify(request));
  }

  hear(): Promise<Message> {
    const message = this.#heard.shift();
    if (message) return Promise.resolve(message);
    return new Promise(resolve => {
      this.#waiting = resolve;
    });
  }

  async hearA<T extends Message["type"]>(type: T): Promise<Extract<Message, { type: T }>> {
    for (;;) {
      const message = await this.hear();
      if (message.type === type) return message as Extract<Message, { type: T }>;
    }
  }

  /** The next problem, as a page shows it. */
  async hearProblem(): Promise<{ problem: string; request?: string }> {
    const { statement, request } = await this.hearA("problem");
    return { problem: sentence(statement), ...(request === undefined ? {} : { request }) };
  }

  /** What came before the answer to this: a request that is answered last, because messages keep their order. */
  async heardSoFar(): Promise<Message[]> {
    this.send({ type: "stop", run: "no-such" });
    const heard: Message[] = [];
    for (;;) {
      const message = await this.hear();
      if (message.type === "problem") return heard;
      heard.push(message);
    }
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.socket.once("close", resolve));
    this.socket.close();
    await closed;
  }
}

/** A promise that is resolved from outside. */
function latch() {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { open, opened };
}

const newRun = async () => labServer.runs.startProgram(labId, {});
const print = (run: { log: EventLog }, text: string) =>
  run.log.append({ type: "output", stream: "stdout", offset: 0, bytes: text.length, text });

test("says hello in the agreed protocol", async () => {
  const page = new Page();
  const hello = (await page.hear()) as Extract<Notice, { type: "hello" }>;
  assert.deepEqual([hello.type, hello.version, hello.workspace], ["hello", "test", labServer.workspace.root]);
  assert.equal(page.socket.protocol, "lab.v1");
  await page.close();
});

test("the state of the lab comes first, then the events from the number that is wanted", async () => {
  const run = await newRun();
  for (const text of ["a", "b", "c"]) print(run, text);
  const page = await Page.open();
  page.send({ type: "watch", lab: labId, from: { [run.id]: 1 } });
  const state = await page.hear();
  assert.ok(state.type === "lab" && state.program?.run === run.id && state.program.nextSeq === 3);
  const seqs = [await page.hear(), await page.hear()].map(message => (message as Event).seq);
  assert.deepEqual(seqs, [1, 2]);
  print(run, "d");
  assert.equal(((await page.hear()) as Event).seq, 3);
  await page.close();
  await run.stop();
});

test("a page that goes away takes no run along; a second page hears everything, the first one's end included", async () => {
  const run = await newRun();
  const [first, second] = [await Page.open(), await Page.open()];
  for (const page of [first, second]) {
    page.send({ type: "watch", lab: labId });
    await page.hearA("lab");
  }
  print(run, "to both");
  assert.equal((await first.hearA("output")).text, "to both");
  assert.equal((await second.hearA("output")).text, "to both");
  await first.close();
  print(run, "to one");
  assert.equal((await second.hearA("output")).text, "to one");
  assert.equal(run.log.ended, false);
  second.send({ type: "stop", run: run.id });
  assert.equal((await second.hearA("exited")).stopped, true);
  await second.close();
});

test("a run that one page starts is seen by the other, before its first event", async () => {
  const [first, second] = [await Page.open(), await Page.open()];
  for (const page of [first, second]) page.send({ type: "watch", lab: labId });
  await second.heardSoFar();
  first.send({ type: "run", lab: labId, text: "a draft" });
  const { program } = await second.hearA("lab");
  const run = labServer.runs.get(program!.run)!;
  assert.deepEqual(labServer.runs.asked.at(-1)?.body, { text: "a draft" });
  print(run, "hello");
  assert.equal((await second.hearA("output")).run, run.id);
  await run.stop();
  await Promise.all([first.close(), second.close()]);
});

test("at most a window is sent ahead of what a page has shown; the run is never held up", async () => {
  const run = await newRun();
  const page = await Page.open();
  page.send({ type: "watch", lab: labId });
  await page.hearA("lab");
  const text = "x".repeat(16 * 1024);
  for (let i = 0; i < 60; i++) print(run, text); // 960 KiB: kept by the ring, more than a window
  const ahead = (await page.heardSoFar()) as Event[];
  const bytes = ahead.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
  assert.ok(bytes >= limits.windowBytes && bytes < limits.windowBytes + 20_000, `${bytes} bytes ahead`);
  page.send({ type: "ack", run: run.id, seq: ahead.at(-1)!.seq });
  let last = ahead.at(-1)!.seq;
  while (last < 59) {
    const event = await page.hearA("output");
    assert.equal(event.seq, last + 1, "in order, nothing twice");
    last = event.seq;
  }
  await run.stop();
  await page.close();
});

test("runs that a page never acknowledged do not fill its window once they are replaced", {
  timeout: 60_000,
}, async () => {
  const page = await Page.open();
  page.send({ type: "watch", lab: labId });
  await page.hearA("lab");
  for (let round = 0; round < 4; round++) {
    const run = await newRun();
    for (let i = 0; i < 60; i++) print(run, "x".repeat(16 * 1024));
    await run.stop();
    while ((await page.hearA("output")).run !== run.id);
  }
  await page.close();
});

test("a page that was hidden for long hears what it has missed as a gap", async () => {
  const run = await newRun();
  const page = await Page.open();
  page.send({ type: "watch", lab: labId });
  await page.hearA("lab");
  const text = "x".repeat(16 * 1024);
  const count = 200; // 3.2 MB through a ring of 1 MiB
  for (let i = 0; i < count; i++) print(run, text);
  await run.stop();
  let bytes = 0;
  for (;;) {
    const event = (await page.hear()) as Event;
    if (event.type === "output" || event.type === "gap") bytes += event.bytes;
    if (event.type === "exited") break;
    if ("seq" in event) page.send({ type: "ack", run: run.id, seq: event.seq });
  }
  assert.equal(bytes, count * text.length);
  await page.close();
});

test("a saved file is reported to the pages that watch the lab", async () => {
  const page = await Page.open();
  page.send({ type: "watch", lab: labId });
  await page.heardSoFar();
  const { etag } = await labServer.workspace.read(labId, "server.ts");
  const saved = await labServer.workspace.write(labId, "server.ts", "saved in another tab\n", etag);
  assert.deepEqual(await page.hearA("file"), {
    type: "file",
    lab: labId,
    file: "server.ts",
    etag: saved.etag,
  });
  writeFileSync(join(labServer.workspace.root, labId, "server.ts"), "saved by an editor\n");
  assert.notEqual((await page.hearA("file")).etag, saved.etag);
  page.send({ type: "unwatch", lab: labId });
  assert.deepEqual(await page.heardSoFar(), []);
  await labServer.workspace.write(labId, "server.ts", "no page watches\n", "*");
  assert.deepEqual(await page.heardSoFar(), []);
  await page.close();
});

test("what cannot be understood is answered in a sentence, and the socket stays open", async () => {
  const page = await Page.open();
  const cases: [object | string, RegExp, string?][] = [
    ["{", /not JSON/],
    ["[]", /list/],
    ["null", /not as it should be/],
    [{ type: "dance" }, /type/, "dance"],
    [{ type: "run" }, /lab/, "run"],
    [{ type: "run", lab: "non-blocking/poling-model" }, /Did you mean/, "run"],
    [{ type: "run", lab: "../../etc/passwd" }, /lab/, "run"],
    [{ type: "stop", run: "no-such" }, /no run "no-such"/, "stop"],
    [{ type: "watch", lab: labId, from: { x: -1 } }, /from/, "watch"],
    [{ type: "check", lab: labId, only: ["nope"] }, /no check "nope"/, "check"],
    ['{"type":"stop","run":"r1","__proto__":{}}', /__proto__/, "stop"],
  ];
  for (const [request, pattern, asked] of cases) {
    page.send(request);
    const { problem, request: type } = await page.hearProblem();
    assert.match(problem, pattern);
    assert.equal(type, asked);
  }
  page.socket.send(Buffer.from([1, 2, 3]));
  assert.match((await page.hearProblem()).problem, /text/);
  const closed = new Promise(resolve => page.socket.once("close", resolve));
  page.send("x".repeat(limits.messageBytes + 1));
  assert.equal(await closed, 1009);
});

test("a page gets samples for as long as it asks for them, and no samples when it has gone", async () => {
  const run = await labServer.runs.startProgram(labId, {});
  const wanted: number[] = [];
  let changed = () => {};
  const want = (everyMs: number) => {
    wanted.push(everyMs);
    return () => {
      wanted.splice(wanted.indexOf(everyMs), 1);
      changed();
    };
  };
  Object.assign(run, { kernel: { want, once: async () => null } });
  const page = await Page.open();
  page.send({ type: "sample", run: run.id, everyMs: 250 });
  page.send({ type: "sample", run: run.id, everyMs: 500 });
  page.send({ type: "sample", run: "no-such", everyMs: 500 });
  assert.match((await page.hearProblem()).problem, /There is no run "no-such"/);
  assert.deepEqual(wanted, [500], "a page has one interval, its newest");
  page.send({ type: "sample", run: run.id, everyMs: 0 });
  await new Promise<void>(resolve => {
    changed = resolve;
  });
  assert.deepEqual(wanted, []);
  page.send({ type: "sample", run: run.id, everyMs: 300 });
  page.send({ type: "sample", run: "no-such", everyMs: 1 });
  await page.hearA("problem");
  assert.deepEqual(wanted, [300]);
  const ended = new Promise<void>(resolve => {
    changed = resolve;
  });
  page.socket.terminate();
  await ended;
  assert.deepEqual(wanted, []);
});

test("one page drives, the others watch; its reload leaves the program as it is, and the wheel free", async t => {
  const run = await labServer.runs.startProgram(labId, {});
  const [one, two] = [new Page(), new Page()];
  t.after(() => Promise.all([run.stop(), two.close()]));
  const [first, second] = [(await one.hearA("hello")).page!, (await two.hearA("hello")).page!];
  assert.notEqual(first, second);
  two.send({ type: "watch", lab: labId });
  one.send({ type: "pace", run: run.id, pace: { mode: "paused" } });
  for (;;) if ((await two.hearA("pace")).state === "stopped") break;
  two.send({ type: "step", run: run.id, step: {} });
  const { problem, request } = await two.hearProblem();
  assert.equal(request, "step");
  assert.ok(problem.startsWith(`${first} drives this run.`), problem);
  two.send({ type: "drive", run: run.id });
  assert.equal((await two.hearA("pace")).driver, second);
  one.send({ type: "step", run: run.id, step: {} });
  assert.ok((await one.hearProblem()).problem.startsWith(`${second} drives this run.`));
  one.send({ type: "drive", run: run.id });
  assert.equal((await two.hearA("pace")).driver, first);
  await one.close();
  const free = await two.hearA("pace");
  assert.deepEqual([free.driver, free.state], [null, "stopped"]);

  // Comes back after thousands of steps: the log has let go of most of them, but never of the newest.
  // A step that takes long on a busy machine is answered before it is done, and the next one is not taken: so by stops.
  for (let n = 0, tries = 0; n !== 3000 && tries < 6000; tries++)
    n = (await run.pacer!.step("a shell", {})).stop?.n ?? n;
  const again = new Page();
  t.after(() => again.close());
  await again.hearA("hello");
  again.send({ type: "watch", lab: labId });
  const { program } = await again.hearA("lab");
  assert.deepEqual(program!.pace!.stop, { where: "before", n: 3000, call: null, because: "step" });
  let gaps = 0;
  for (;;) {
    const message = await again.hear();
    if (message.type === "gap") gaps++;
    if (!("seq" in message)) continue;
    again.send({ type: "ack", run: run.id, seq: message.seq });
    if (message.type === "pace" && message.stop?.n === 3000) break;
  }
  assert.ok(gaps > 0);
});

test("a page that goes away while its program is started drives it no more", { timeout: 60_000 }, async t => {
  const gone = latch();
  const onChange = labServer.runs.onChange.bind(labServer.runs);
  // The session listens for changes until its socket has closed.
  t.mock.method(labServer.runs, "onChange", (listener: (lab: string) => void) => {
    const off = onChange(listener);
    return () => {
      off();
      gone.open();
    };
  });
  const asked = latch();
  const start = labServer.runs.startProgram.bind(labServer.runs);
  const drivers: (string | null)[] = [];
  const left = latch();
  t.mock.method(labServer.runs, "startProgram", async (lab: string, body: RunBody) => {
    asked.open();
    await gone.opened;
    const run = await start(lab, body);
    run.log.onAppend(event => {
      if (event.type !== "pace") return;
      drivers.push(event.driver);
      if (event.driver === null) left.open();
    });
    return run;
  });
  const page = new Page();
  const { page: name } = await page.hearA("hello");
  page.send({ type: "run", lab: labId, pace: { breakpoints: [{ name: "recv" }] } });
  await asked.opened;
  await page.close();
  await left.opened;
  assert.deepEqual(drivers, [name, null]);
});

test("pages that do not answer are ended, but not because the machine slept", async t => {
  let now = 0;
  const labs = { runs: labServer.runs, workspace: labServer.workspace } as never;
  const hello = { type: "hello", version: "test", sandbox: plainSandbox, workspace: "" } as const;
  const sessions = new Sessions(
    labs,
    hello,
    error => labServer.unexpected.push(error),
    () => now,
  );
  const [server] = labServer.servers;
  // A page that is connected and never answers a ping: its client is paused after the handshake.
  const accepted = new Promise<void>(resolve => {
    const usual = server!.listeners("upgrade");
    server!.removeAllListeners("upgrade");
    server!.once("upgrade", (request, socket, head) => {
      sessions.accept(request, socket as Socket, head);
      for (const listener of usual) server!.on("upgrade", listener as never);
      resolve();
    });
  });
  const page = new WebSocket(`ws://127.0.0.1:${labServer.port}/ws`, ["lab.v1"], { autoPong: false });
  const closed = new Promise<number>(resolve => page.once("close", resolve));
  await accepted;
  t.after(() => sessions.close());
  const tick = (passed: number) => {
    now += passed;
    sessions.ping();
  };
  tick(pingMs);
  tick(pingMs);
  tick(pingMs * 100); // asleep
  tick(pingMs);
  assert.notEqual(page.readyState, WebSocket.CLOSED);
  tick(pingMs);
  assert.equal(await closed, 1006);
});
