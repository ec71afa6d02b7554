// The page's side of the contract against a lab server made of a few lines: what is told once stays told, what is
// sent twice counts once, and every failure is a sentence.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { Event, Message, Notice, Request, RunSummary, Syscall } from "../../server-labs/protocol.ts";
import { Labs } from "./client.ts";
import type { SocketLike } from "./connection.ts";
import { Files } from "./files.ts";
import { type Tab, Token } from "./token.ts";

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
let openLink: () => void;
const newest = () => sockets.at(-1)!;

function tab(hash: string, stored: Map<string, string> = new Map()): Tab {
  return {
    location: { hash, pathname: "/", search: "" },
    history: { replaceState: () => {} },
    session: {
      getItem: key => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
      removeItem: key => void stored.delete(key),
    },
    channel: null,
    addEventListener: (_type, listener) => {
      openLink = listener;
    },
  };
}

function page(hash = "#t=secret"): Labs {
  const token = new Token(tab(hash));
  const files = new Files(
    () => answer(),
    () => token.value,
  );
  return new Labs(
    {
      url: "ws://127.0.0.1:7800/ws",
      open: (_url, protocols) => {
        sockets.push(new Socket(protocols));
        return newest();
      },
      probe: tried => files.probe(tried),
      token,
      onAwake: listener => {
        wake = listener;
      },
    },
    files,
  );
}

beforeEach(() => {
  sockets = [];
  answer = () => Promise.reject(new TypeError("fetch failed"));
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

const sandbox = { level: "plain", sentence: "not kept apart" } as const;
const hello: Notice = { type: "hello", version: "1", sandbox, workspace: "/home/student/socket-workbook" };
function summary(run: string, state: RunSummary["state"] = "starting"): RunSummary {
  return { run, lab, kind: "program", state, sentence: state, port: 7890, nextSeq: 0, events: "" };
}
function runs(program: RunSummary | null): Notice {
  return { type: "lab", lab, program, check: null };
}
function said(seq: number, text: string, offset = 0): Event {
  return { type: "output", run: "r1", seq, at: seq, stream: "stdout", offset, bytes: text.length, text };
}
function call(n: number, took: number | null, name = "epoll_wait"): Syscall {
  return {
    n,
    at: n,
    took,
    name,
    fd: 4,
    args: "4",
    result: "",
    returned: 0,
    errno: null,
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
function running(): Labs {
  const labs = page();
  labs.watch(lab);
  newest().tell(hello, runs(summary("r1")), starting);
  return labs;
}
/** As it is shown when a frame has passed. */
const state = (labs: Labs) => {
  mock.timers.tick(17);
  return labs.store.getState();
};
const program = (labs: Labs) => state(labs).labs[lab]!.program!;

test("the token from the fragment opens the socket as a subprotocol, and hello makes it ready", () => {
  const labs = page();
  assert.deepEqual(newest().protocols, ["lab.v1", "token.secret"]);
  assert.equal(state(labs).connection, "connecting");
  newest().tell(hello);
  assert.equal(state(labs).connection, "ready");
  assert.equal(state(labs).hello?.version, "1");
});

test("without a token from anywhere the page is locked, and nothing is sent", async () => {
  const labs = page("");
  mock.timers.tick(300);
  assert.equal(state(labs).connection, "locked");
  assert.equal(sockets.length, 0);
  const read = await labs.files.read(lab, "server.ts");
  assert.match("problem" in read ? read.problem : "", /link printed in the terminal/);
  assert.match(labs.run(lab)?.problem ?? "", /link printed in the terminal/);
});

test("a token that is turned away locks the page; a lab server that is not there does not", async () => {
  const labs = page();
  newest().onclose?.();
  await settle();
  assert.equal(state(labs).connection, "away");

  answer = async () => Response.json({ problem: "no" }, { status: 401 });
  mock.timers.tick(250);
  newest().onclose?.();
  await settle();
  assert.equal(state(labs).connection, "locked");
});

test("it tries again after 250 ms, then twice as long, at most every 5 s, and at once when the page wakes", async () => {
  page();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 7; attempt++) {
    newest().onclose?.();
    await settle();
    const before = sockets.length;
    let waited = 0;
    while (sockets.length === before) {
      mock.timers.tick(250);
      waited += 250;
    }
    waits.push(waited);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);

  newest().onclose?.();
  await settle();
  const before = sockets.length;
  wake();
  assert.equal(sockets.length, before + 1);
});

test("the end of a socket that has been replaced changes nothing", async () => {
  const labs = page();
  const old = newest();
  old.onclose?.();
  await settle();
  mock.timers.tick(250);
  newest().tell(hello);
  old.onclose?.();
  await settle();
  assert.equal(state(labs).connection, "ready");
});

test("the printed link opened in a tab that is ready: what is watched is watched over the new socket, too", () => {
  const labs = running();
  openLink();
  assert.equal(state(labs).connection, "connecting");
  newest().tell(hello);
  assert.equal(state(labs).connection, "ready");
  assert.equal(newest().asked("watch").at(-1)?.lab, lab);
  newest().tell(runs(summary("r1")), listening);
  assert.equal(program(labs).state, "listening");
});

test("a run's state goes forward with its events, whatever an older summary says", () => {
  const labs = running();
  assert.equal(program(labs).state, "starting");
  assert.equal(program(labs).command, "server.ts 7890");
  newest().tell(listening);
  assert.equal(program(labs).state, "listening");
  assert.equal(program(labs).sentence, "listening on 7890");
  newest().tell(runs({ ...summary("r1", "stopping"), sentence: "stopping" }));
  assert.equal(program(labs).state, "stopping");
  const exited = { type: "exited", run: "r1", seq: 2, at: 9, code: 1, signal: null, stopped: false } as const;
  newest().tell({ ...exited, sentence: "exited with 1" });
  assert.equal(program(labs).state, "exited");
  assert.equal(program(labs).sentence, "exited with 1");
  assert.equal(program(labs).live, false);
});

test("after a break it asks from the next seq on, and what is sent again is not counted again", async () => {
  const labs = running();
  newest().tell(said(1, "one\n"), said(2, "two\n", 4));
  newest().onclose?.();
  await settle();
  mock.timers.tick(250);
  newest().tell(hello);
  assert.deepEqual(newest().asked("watch").at(-1)?.from, { r1: 3 });
  newest().tell(runs(summary("r1")), said(2, "two\n", 4), said(3, "three\n", 8));
  const heard: string[] = [];
  labs.streams.onOutput("r1", event => void (event.type === "output" && heard.push(event.text)));
  assert.deepEqual(heard, ["one\n", "two\n", "three\n"]);
  mock.timers.tick(50);
  assert.equal(program(labs).outputBytes, 14);
});

test("a lab server that was started again ends the run here too, and keeps what it printed", () => {
  const labs = running();
  newest().tell(said(1, "hello\n"), runs(null));
  assert.equal(program(labs).live, false);
  assert.match(program(labs).sentence, /started again/);
  const heard: string[] = [];
  labs.streams.onOutput("r1", event => void (event.type === "output" && heard.push(event.text)));
  assert.deepEqual(heard, ["hello\n"]);
});

test("who begins to listen late hears everything from the command on, in order", () => {
  const labs = running();
  newest().tell(listening, said(2, "a"));
  const types: string[] = [];
  const end = labs.streams.onOutput("r1", event => types.push(event.type));
  newest().tell(said(3, "b", 1));
  end();
  newest().tell(said(4, "c", 2));
  assert.deepEqual(types, ["starting", "listening", "output", "output"]);
});

test("without a terminal the page acknowledges what comes; with one, what the terminal has drawn", () => {
  const labs = running();
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
  const labs = running();
  labs.streams.onOutput("r1", event => labs.streams.drawn("r1", event.seq), { acks: true });
  const calls: Event = { type: "syscalls", run: "r1", seq: 2, at: 2, calls: [call(0, 3)] };
  newest().tell(said(1, "a"), calls);
  newest().onclose?.();
  await settle();
  mock.timers.tick(250);
  newest().tell(hello, runs(summary("r1")), said(1, "a"), calls);
  mock.timers.tick(16);
  assert.equal(newest().asked("ack").at(-1)?.seq, 2);
});

test("a call that sleeps keeps its place when it returns", () => {
  const labs = running();
  newest().tell({ type: "syscalls", run: "r1", seq: 1, at: 1, calls: [call(0, 3), call(1, null)] });
  assert.equal(labs.streams.calls("r1").length, 2);
  newest().tell({ type: "syscalls", run: "r1", seq: 2, at: 2, calls: [call(1, 900), call(2, 1, "accept4")] });
  const calls = labs.streams.calls("r1");
  assert.equal(calls.length, 3);
  const second = calls.row(1);
  assert.equal(second?.type === "call" && second.call.took, 900);
  assert.equal(calls.total, 3);
});

test("calls that were counted instead of sent are in the total", () => {
  const labs = running();
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

test("what was asked is shown when the answer lets wait for itself; a refusal ends it with its sentence", () => {
  const labs = running();
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
  newest().tell({ type: "problem", sentence: "There is no check of that name.", request: "check" });
  assert.equal(state(labs).labs[lab]!.asked, null);
  assert.equal(state(labs).labs[lab]!.problem, "There is no check of that name.");
});

test("a text that is longer than a lab may be is not sent but said, to be run as to be saved", async () => {
  const labs = page();
  newest().tell(hello);
  labs.watch(lab);
  const text = "//".repeat(3_000_000);
  labs.run(lab, { text });
  const said = state(labs).labs[lab]!;
  assert.equal(said.problem, "A text of 5,860 KB is too long: a lab takes at most 512 KB.");
  assert.equal(said.asked, null);
  assert.equal(newest().asked("run").length, 0);
  assert.deepEqual(await labs.files.save(lab, "server.ts", text, "e"), { problem: said.problem });
});

test("what is heard in the time of a frame is shown once, and known at once to whoever acts on it", () => {
  const labs = running();
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

test("a terminal follows a lab's programs: each newer one from its beginning, and never again the one before", () => {
  const labs = running();
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

test("checks are kept by id, in their first order, with the newest word on each", () => {
  const labs = running();
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

test("two who watch one lab are one watch; the last to leave ends it", () => {
  const labs = page();
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
  const labs = page();
  const answers = [
    Response.json({ problem: "changed" }, { status: 412 }),
    Response.json({ text: "\ufefftheirs" }, { headers: { etag: '"2"' } }),
  ];
  answer = async () => answers.shift()!;
  assert.deepEqual(await labs.files.save(lab, "server.ts", "mine", '"1"'), {
    conflict: { text: "\ufefftheirs", etag: '"2"' },
  });
});

test("an answer that is no JSON is a sentence too", async () => {
  const labs = page();
  answer = async () => new Response("<h1>Bad gateway</h1>", { status: 404 });
  const read = await labs.files.read(lab, "server.ts");
  assert.match("problem" in read ? read.problem : "", /404.*could not be read/);
});
