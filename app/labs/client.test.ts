// The page's side of the contract against a lab server made of a few lines: what is told once stays told, what is
// sent twice counts once, and every failure is a sentence.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { CallerKeys } from "../../server-labs/http/caller-keys.ts";
import {
  type CallRecord,
  type Event,
  type Message,
  type Notice,
  type Request,
  type RunSummary,
  sentence,
  type TracedCall,
} from "../../server-labs/protocol.ts";
import { LabApi } from "./api.ts";
import { LabsClient } from "./client.ts";
import type { SocketLike } from "./connection.ts";
import { type FakeTab, fakeTab } from "./fixtures/tab.ts";
import { Handshake } from "./handshake.ts";
import { KeyRing } from "./key-ring.ts";

const lab = "non-blocking/polling-model";

/** A socket whose other end is the test. */
class Socket implements SocketLike {
  readyState = 0;
  onopen = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror = null;
  said: Request[] = [];
  readonly protocols: string[];
  constructor(protocols: string[]) {
    this.protocols = protocols;
  }
  send(text: string): void {
    this.said.push(JSON.parse(text) as Request);
  }
  close(): void {}
  tell(...messages: Message[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }
  asked<T extends Request["type"]>(type: T): Extract<Request, { type: T }>[] {
    return this.said.filter((request): request is Extract<Request, { type: T }> => request.type === type);
  }
}

let sockets: Socket[];
let answer: () => Promise<Response>;
let wake: () => void;
let tab: FakeTab;
const newest = () => sockets.at(-1)!;

const origin = "http://127.0.0.1:7800";
/** The keys of the lab server that runs now. */
let keys: CallerKeys;
/** Whether a lab server answers to a challenge. */
let up: boolean;

/** Answers challenges as the lab server does, and leaves the rest to the test. */
async function fetched(input: RequestInfo | URL): Promise<Response> {
  const url = new URL(String(input), origin);
  if (url.pathname !== "/healthz" && url.pathname !== "/api/page-key") return answer();
  if (!up) throw new TypeError("fetch failed");
  if (url.pathname === "/api/page-key") return Response.json(keys.newPageKey());
  const [nonce, asked, key] = ["nonce", "origin", "key"].map(name => url.searchParams.get(name)!);
  return Response.json({ ok: true, ...keys.prove({ nonce: nonce!, origin: asked!, key: key! }) });
}

async function page(hash = `#t=${keys.ticket}`): Promise<LabsClient> {
  tab = fakeTab(hash);
  const ring = new KeyRing(tab);
  const handshake = new Handshake({ fetch: fetched, origin, keys: ring, nonce: () => "0".repeat(32) });
  const files = new LabApi(fetched, handshake);
  const labs = new LabsClient(
    {
      url: "ws://127.0.0.1:7800/ws",
      open: (_url, protocols) => {
        sockets.push(new Socket(protocols));
        return newest();
      },
      keys: ring,
      handshake,
      onAwake: listener => {
        wake = listener;
      },
    },
    files,
  );
  await settle();
  return labs;
}

beforeEach(() => {
  sockets = [];
  up = true;
  keys = new CallerKeys("the-token", new Set([origin]));
  answer = () => Promise.reject(new TypeError("fetch failed"));
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

/** Lets every promise go on that waits for nothing but others: reading a body takes turns of the event loop. */
async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise(resolve => setImmediate(resolve));
}

const sandbox = {
  level: "plain",
  statement: { code: "unprotected", root: false, reason: { code: "sandbox-off" } },
} as const;
const hello: Notice = { type: "hello", version: "1", sandbox, workspace: "/home/student/socket-workbook" };
function summary(run: string, state: "starting" | "running" | "stopping" = "starting"): RunSummary {
  return { run, lab, kind: "program", state, statement: { code: state }, port: 7890, nextSeq: 0, events: "" };
}
function runs(program: RunSummary | null): Notice {
  return { type: "lab", lab, program, check: null };
}
function said(seq: number, text: string, offset = 0): Event {
  return { type: "output", run: "r1", seq, at: seq, stream: "stdout", offset, bytes: text.length, text };
}
function call(n: number, took: number | null, name: TracedCall = "epoll_wait"): CallRecord {
  return {
    n,
    at: n,
    took,
    call: name,
    fd: 4,
    args: [4, null, 64, -1],
    returned: 0,
    errno: null,
    peer: null,
    state: "ready",
    line: null,
  };
}
const starting: Event = {
  type: "starting",
  run: "r1",
  seq: 0,
  at: 0,
  lab,
  kind: "program",
  command: "server.ts 7890",
  port: 7890,
  sandbox,
  began: 1,
};
const listening: Event = {
  type: "listening",
  run: "r1",
  seq: 1,
  at: 5,
  host: "127.0.0.1",
  port: 7890,
  url: "http://127.0.0.1:7890/",
};

/** A page that watches the lab and sees run r1 begin. */
async function running(): Promise<LabsClient> {
  const labs = await page();
  labs.watch(lab);
  newest().tell(hello, runs(summary("r1")), starting);
  return labs;
}
/** As it is shown when a frame has passed. */
const state = (labs: LabsClient) => {
  mock.timers.tick(17);
  return labs.store.getState();
};
const program = (labs: LabsClient) => state(labs).labs[lab]!.program!;

test("what is asked for before the lab server is there is sent then, once", async () => {
  const labs = await page();
  labs.watch(lab);
  assert.equal(labs.run(lab), null);
  assert.equal(labs.run(lab), null, "a double press");
  assert.equal(labs.now(lab).asked, "run");
  assert.deepEqual(newest().asked("run"), []);
  newest().tell(hello);
  assert.deepEqual(newest().asked("run"), [{ type: "run", lab }]);
  assert.equal(labs.now(lab).asked, "run");
});

test("what is asked for before the page knows that no lab server is there ends with a sentence", async () => {
  up = false;
  const labs = await page();
  labs.watch(lab);
  await settle();
  assert.match(labs.run(lab)?.problem ?? "", /The lab server is not running/);
});

test("a run has the port that it was given, on whichever it listens beside", async () => {
  const labs = await running();
  newest().tell(listening, { ...listening, seq: 2, port: 40_123, url: "http://127.0.0.1:40123/" });
  assert.equal(program(labs).port, 7890);
  assert.equal(program(labs).listening?.port, 40_123);
});

test("a bearer made of the link's ticket opens the socket as a subprotocol, and hello makes it ready", async () => {
  const labs = await page();
  const [version, bearer] = newest().protocols;
  assert.equal(version, "lab.v1");
  assert.ok(keys.accepts(bearer!.slice("token.".length)));
  assert.doesNotMatch(bearer!, new RegExp(keys.ticket));
  assert.equal(state(labs).connection, "connecting");
  newest().tell(hello);
  assert.equal(state(labs).connection, "ready");
  assert.equal(state(labs).hello?.version, "1");
});

test("without a key from anywhere the page is locked, and nothing is sent", async () => {
  const labs = await page("");
  mock.timers.tick(300);
  assert.equal(state(labs).connection, "locked");
  assert.equal(sockets.length, 0);
  const read = await labs.api.read(lab, "server.ts");
  assert.match("problem" in read ? read.problem : "", /link printed in the terminal/);
  assert.match(labs.run(lab)?.problem ?? "", /link printed in the terminal/);
});

test("an old link locks the page; a lab server that is not there does not", async () => {
  up = false;
  const labs = await page();
  assert.equal(state(labs).connection, "away");
  assert.equal(sockets.length, 0);

  keys = new CallerKeys("the-token", new Set([origin]));
  up = true;
  mock.timers.tick(250);
  await settle();
  assert.equal(state(labs).connection, "old-link");
  assert.equal(sockets.length, 0);
  assert.match(labs.run(lab)?.problem ?? "", /earlier start.*newest link/);
});

test("a page that is open goes on with a lab server that was started again, with a bearer for that start", async () => {
  const labs = await page();
  newest().tell(hello);
  const first = newest().protocols[1]!.slice("token.".length);
  keys = new CallerKeys("the-token", new Set([origin]));
  newest().onclose?.();
  mock.timers.tick(250);
  await settle();
  newest().tell(hello);
  assert.equal(state(labs).connection, "ready");
  assert.ok(keys.accepts(newest().protocols[1]!.slice("token.".length)));
  assert.ok(!keys.accepts(first));
});

test("what another program on the port answers, over HTTP or a socket, gets no bearer, no key and no text", async () => {
  const labs = await page();
  newest().tell(hello);
  const own = keys;
  const sent: string[] = [];
  keys = new CallerKeys("of another user", new Set([origin]));
  answer = async () => {
    sent.push("a request");
    return Response.json({});
  };
  newest().onclose?.();
  const before = sockets.length;
  for (let attempt = 0; attempt < 5; attempt++) {
    mock.timers.tick(5000);
    await settle();
  }
  assert.equal(state(labs).connection, "unproven");
  const saved = await labs.api.save(lab, "server.ts", "the student's text", "e");
  assert.match("problem" in saved ? saved.problem : "", /did not prove that it is your lab server/);
  assert.match(labs.run(lab)?.problem ?? "", /did not prove/);
  assert.equal(sockets.length, before, "no socket was opened");
  assert.deepEqual(sent, []);

  keys = own;
  mock.timers.tick(5000);
  await settle();
  newest().tell(hello);
  assert.equal(state(labs).connection, "ready", "the key was kept for the lab server that comes back");
});

test("a bearer that is refused, because the lab server was started again just now, is made anew once", async () => {
  const labs = await page();
  keys = new CallerKeys("the-token", new Set([origin]));
  let asked = 0;
  answer = async () => {
    asked++;
    return asked === 1 ? Response.json({}, { status: 401 }) : Response.json({ labs: [] });
  };
  assert.deepEqual(await labs.api.labs(), []);
  assert.equal(asked, 2);
});

test("it tries again after 250 ms, then twice as long, at most every 5 s, and at once when the page wakes", async () => {
  await page();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 7; attempt++) {
    newest().onclose?.();
    await settle();
    const before = sockets.length;
    let waited = 0;
    while (sockets.length === before) {
      mock.timers.tick(250);
      await settle();
      waited += 250;
    }
    waits.push(waited);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);

  newest().onclose?.();
  await settle();
  const before = sockets.length;
  wake();
  await settle();
  assert.equal(sockets.length, before + 1);
});

test("the end of a socket that has been replaced changes nothing", async () => {
  const labs = await page();
  const old = newest();
  old.onclose?.();
  await settle();
  mock.timers.tick(250);
  await settle();
  newest().tell(hello);
  old.onclose?.();
  await settle();
  assert.equal(state(labs).connection, "ready");
});

test("the printed link opened in a tab that is ready: what is watched is watched over the new socket, too", async () => {
  const labs = await running();
  tab.open(`#t=${keys.ticket}`);
  assert.equal(state(labs).connection, "connecting");
  await settle();
  newest().tell(hello);
  assert.equal(state(labs).connection, "ready");
  assert.equal(newest().asked("watch").at(-1)?.lab, lab);
  newest().tell(runs(summary("r1")), listening);
  assert.equal(program(labs).state, "listening");
});

test("a run's state goes forward with its events, whatever an older summary says", async () => {
  const labs = await running();
  assert.equal(program(labs).state, "starting");
  assert.equal(program(labs).command, "server.ts 7890");
  newest().tell(listening);
  assert.equal(program(labs).state, "listening");
  assert.equal(sentence(program(labs).statement), "listening on 7890");
  newest().tell(runs(summary("r1", "stopping")));
  assert.equal(program(labs).state, "stopping");
  const exited = { type: "exited", run: "r1", seq: 2, at: 9, code: 1, signal: null, stopped: false } as const;
  newest().tell({ ...exited, statement: { code: "exited-with", status: 1 } });
  assert.equal(program(labs).state, "exited");
  assert.equal(sentence(program(labs).statement), "exited with 1");
  assert.equal(program(labs).live, false);
});

test("after a break it asks from the next seq on, and what is sent again is not counted again", async () => {
  const labs = await running();
  newest().tell(said(1, "one\n"), said(2, "two\n", 4));
  newest().onclose?.();
  await settle();
  mock.timers.tick(250);
  await settle();
  newest().tell(hello);
  assert.deepEqual(newest().asked("watch").at(-1)?.from, { r1: 3 });
  newest().tell(runs(summary("r1")), said(2, "two\n", 4), said(3, "three\n", 8));
  const heard: string[] = [];
  labs.streams.onOutput("r1", event => void (event.type === "output" && heard.push(event.text)));
  assert.deepEqual(heard, ["one\n", "two\n", "three\n"]);
  mock.timers.tick(50);
  assert.equal(program(labs).outputBytes, 14);
});

test("a lab server that was started again ends the run here too, and keeps what it printed", async () => {
  const labs = await running();
  newest().tell(said(1, "hello\n"), runs(null));
  assert.equal(program(labs).live, false);
  assert.match(sentence(program(labs).statement), /started again/);
  const heard: string[] = [];
  labs.streams.onOutput("r1", event => void (event.type === "output" && heard.push(event.text)));
  assert.deepEqual(heard, ["hello\n"]);
});

test("who begins to listen late hears everything from the command on, in order", async () => {
  const labs = await running();
  newest().tell(listening, said(2, "a"));
  const types: string[] = [];
  const end = labs.streams.onOutput("r1", event => types.push(event.type));
  newest().tell(said(3, "b", 1));
  end();
  newest().tell(said(4, "c", 2));
  assert.deepEqual(types, ["starting", "listening", "output", "output"]);
});

test("without a terminal the page acknowledges what comes; with one, what the terminal has drawn", async () => {
  const labs = await running();
  newest().tell(said(1, "a"));
  assert.deepEqual(newest().asked("ack"), []);
  mock.timers.tick(16);
  assert.deepEqual(newest().asked("ack").at(-1), { type: "ack", run: "r1", seq: 1 });

  const leave = labs.streams.onOutput("r1", () => {}, { acks: true });
  newest().tell(said(2, "b", 1), said(3, "c", 2));
  mock.timers.tick(16);
  assert.equal(newest().asked("ack").at(-1)?.seq, 1);
  labs.streams.drawn("r1", 2);
  mock.timers.tick(16);
  assert.equal(newest().asked("ack").at(-1)?.seq, 2);
  leave();
  mock.timers.tick(16);
  assert.equal(newest().asked("ack").at(-1)?.seq, 3, "a terminal that is taken away leaves nothing waiting");
});

test("what is sent again after a break leaves a terminal's window open", async () => {
  const labs = await running();
  labs.streams.onOutput("r1", event => labs.streams.drawn("r1", event.seq), { acks: true });
  const calls: Event = { type: "syscalls", run: "r1", seq: 2, at: 2, calls: [call(0, 3)] };
  newest().tell(said(1, "a"), calls);
  newest().onclose?.();
  await settle();
  mock.timers.tick(250);
  await settle();
  newest().tell(hello, runs(summary("r1")), said(1, "a"), calls);
  mock.timers.tick(16);
  assert.equal(newest().asked("ack").at(-1)?.seq, 2);
});

test("a call that sleeps keeps its place when it returns", async () => {
  const labs = await running();
  newest().tell({ type: "syscalls", run: "r1", seq: 1, at: 1, calls: [call(0, 3), call(1, null)] });
  assert.equal(labs.streams.calls("r1").length, 2);
  newest().tell({ type: "syscalls", run: "r1", seq: 2, at: 2, calls: [call(1, 900), call(2, 1, "accept4")] });
  const calls = labs.streams.calls("r1");
  assert.equal(calls.length, 3);
  const second = calls.row(1);
  assert.equal(second?.type === "call" && second.call.took, 900);
  assert.equal(calls.total, 3);
});

test("calls that were counted instead of sent are in the total", async () => {
  const labs = await running();
  let told = 0;
  labs.streams.onSyscalls("r1", () => told++);
  newest().tell({
    type: "syscalls-omitted",
    run: "r1",
    seq: 1,
    at: 1,
    first: 0,
    count: 5000,
    byName: { recv: 5000 },
  });
  assert.equal(labs.streams.calls("r1").total, 5000);
  assert.equal(told, 1);
});

test("what was asked is shown when the answer lets wait for itself; a refusal ends it with its sentence", async () => {
  const labs = await running();
  const shown = () => labs.store.getState().labs[lab]!;
  assert.equal(labs.check(lab, { only: ["second-client"] }), null);
  assert.equal(labs.check(lab), null);
  assert.deepEqual(
    newest().asked("check"),
    [{ type: "check", lab, only: ["second-client"] }],
    "pressed twice is asked once",
  );
  assert.equal(labs.now(lab).asked, "check");
  assert.equal(shown().asked, null);
  mock.timers.tick(50);
  assert.equal(shown().asked, "check");
  const known = ["second-client"];
  const statement = { code: "unknown-check" as const, lab, check: "second-clint", known };
  newest().tell({ type: "problem", statement, request: "check" });
  assert.equal(state(labs).labs[lab]!.asked, null);
  assert.equal(
    state(labs).labs[lab]!.problem,
    `The lab ${lab} has no check "second-clint". Did you mean "second-client"?`,
  );
});

test("a text that is longer than a lab may be is not sent but said, to be run as to be saved", async () => {
  const labs = await page();
  newest().tell(hello);
  labs.watch(lab);
  const text = "//".repeat(3_000_000);
  labs.run(lab, { text });
  const said = state(labs).labs[lab]!;
  assert.equal(said.problem, "A text of 5,860 KB is too long: a lab takes at most 512 KB.");
  assert.equal(said.asked, null);
  assert.equal(newest().asked("run").length, 0);
  assert.deepEqual(await labs.api.save(lab, "server.ts", text, "e"), { problem: said.problem });
});

test("what is heard in the time of a frame is shown once, and known at once to the code that acts on it", async () => {
  const labs = await running();
  let shown = 0;
  labs.store.subscribe(() => shown++);
  labs.run(lab);
  newest().tell(runs(summary("r2")), { ...starting, run: "r2" }, { ...listening, run: "r2" });
  assert.equal(labs.now(lab).program!.state, "listening");
  assert.equal(shown, 0);
  assert.equal(program(labs).state, "listening");
  assert.equal(shown, 1);
  assert.equal(state(labs).labs[lab]!.asked, null);
});

test("a terminal follows a lab's programs: each newer one from its beginning, and never again the one before", async () => {
  const labs = await running();
  newest().tell(said(1, "one\n"));
  const heard: string[] = [];
  const leave = labs.streams.followProgram(lab, run => {
    heard.push(`# ${run}`);
    return event => void (event.type === "output" && heard.push(event.text));
  });
  newest().tell(runs(summary("r2")), { ...said(0, "two\n"), run: "r2" }, said(2, "late\n", 4));
  leave();
  newest().tell({ ...said(1, "three\n", 4), run: "r2" }, runs(summary("r3")));
  assert.deepEqual(heard, ["# r1", "one\n", "# r2", "two\n"]);
});

test("checks are kept by id, in their first order, with the newest word on each", async () => {
  const labs = await running();
  const check = { type: "check", run: "r1", at: 1, title: "t" } as const;
  newest().tell(
    { ...check, seq: 1, id: "a", state: "waiting" },
    { ...check, seq: 2, id: "b", state: "waiting" },
    { ...check, seq: 3, id: "a", state: "passed" },
  );
  assert.deepEqual(
    program(labs).checks.map(({ id, state }) => [id, state]),
    [
      ["a", "passed"],
      ["b", "waiting"],
    ],
  );
});

test("a scoreboard keeps the checks of rivals apart from those of the student's server", async () => {
  const labs = await running();
  const check = { type: "check", run: "r1", at: 1, title: "t", id: "a" } as const;
  const servers = [
    { id: "own", name: "server.ts" },
    { id: "b", name: "B" },
  ];
  assert.equal(program(labs).scores, null);
  newest().tell(
    { type: "scoreboard", run: "r1", at: 1, seq: 1, servers },
    { ...check, seq: 2, state: "passed" },
    { ...check, seq: 3, state: "unjudged", note: "It is ours.", server: "b" },
  );
  const { checks, scores } = program(labs);
  assert.deepEqual(
    checks.map(({ state }) => state),
    ["passed"],
  );
  assert.deepEqual(scores, {
    servers,
    results: { own: { a: { state: "passed" } }, b: { a: { state: "unjudged", why: "It is ours." } } },
  });
});

test("two who watch one lab are one watch; the last to leave ends it", async () => {
  const labs = await page();
  newest().tell(hello);
  const [first, second] = [labs.watch(lab), labs.watch(lab)];
  assert.equal(newest().asked("watch").length, 1);
  first();
  first();
  assert.equal(newest().asked("unwatch").length, 0);
  second();
  assert.equal(newest().asked("unwatch").length, 1);
  assert.equal(state(labs).labs[lab], undefined);
});

test("a save over somebody else's newer text gives that text back", async () => {
  const labs = await page();
  const answers = [
    Response.json({ problem: "changed" }, { status: 412 }),
    Response.json({ text: "\ufefftheirs" }, { headers: { etag: '"2"' } }),
  ];
  answer = async () => answers.shift()!;
  assert.deepEqual(await labs.api.save(lab, "server.ts", "mine", '"1"'), {
    conflict: { text: "\ufefftheirs", etag: '"2"' },
  });
});

test("a problem over HTTP is shown by its statement, in the page's own sentence", async () => {
  const labs = await page();
  const statement = { code: "unknown-file", lab, file: "x.ts", known: ["server.ts"] };
  answer = async () => Response.json({ problem: "in the shell's language", ...statement }, { status: 404 });
  assert.deepEqual(await labs.api.read(lab, "x.ts"), {
    problem: `The lab ${lab} has no file "x.ts"; it has server.ts.`,
  });
});

test("an answer that is no JSON is a sentence too", async () => {
  const labs = await page();
  answer = async () => new Response("<h1>Bad gateway</h1>", { status: 404 });
  const read = await labs.api.read(lab, "server.ts");
  assert.match("problem" in read ? read.problem : "", /404.*could not be read/);
});
