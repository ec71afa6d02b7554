import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallRecord, type Event, type KernelSample, limits, linesOf } from "../protocol.ts";
import { EventLog } from "./event-log.ts";

const all = Number.POSITIVE_INFINITY;

function call(n: number): CallRecord {
  const rest = {
    took: 1,
    call: "recv" as const,
    fd: 7,
    args: [7, null, 1024, 0],
    returned: 0,
    errno: null,
    peer: null,
    line: null,
  };
  return { n, at: 0, state: "ready", ...rest };
}

function print(log: EventLog, bytes: number): void {
  log.append({ type: "output", stream: "stdout", offset: 0, bytes, text: "x".repeat(bytes) });
}

/** Every seq from `from` to the end is either there or counted. */
function assertWhole(events: Event[], from: number, next: number): void {
  let expected = from;
  for (const event of events) {
    const first = event.type === "gap" ? event.seq - event.events + 1 : event.seq;
    assert.equal(first, expected);
    expected = event.seq + 1;
  }
  assert.equal(expected, next);
}

test("one number orders all events, and time does not go back", () => {
  const log = new EventLog("r1");
  print(log, 3);
  log.append({ type: "syscalls", calls: [call(0)] });
  log.append({ type: "listening", host: "127.0.0.1", port: 1, url: "http://127.0.0.1:1/" });
  const { events, next } = log.read(0, all);
  assert.deepEqual(
    events.map(e => [e.run, e.seq, e.type]),
    [
      ["r1", 0, "output"],
      ["r1", 1, "syscalls"],
      ["r1", 2, "listening"],
    ],
  );
  assert.equal(next, log.nextSeq);
  assert.ok(events[0]!.at <= events[2]!.at);
});

test("a reader takes what fits, at least one event, and goes on where it stopped", () => {
  const log = new EventLog("r1");
  for (let i = 0; i < 10; i++) print(log, 1000);
  const first = log.read(0, 2500);
  assert.equal(first.events.length, 2);
  assert.equal(log.read(first.next, 1).events.length, 1);
  assert.deepEqual(log.read(10, all), { events: [], texts: [], next: 10 });
  assert.deepEqual(log.read(99, all), { events: [], texts: [], next: 10 });
});

test("what is evicted is counted exactly, for a reader from anywhere", () => {
  const log = new EventLog("r1");
  const produced: { bytes: number; calls: number }[] = [];
  let n = 0;
  for (let i = 0; i < 3000; i++) {
    if (i % 3 === 0) {
      const calls = [call(n++), call(n++)];
      log.append({ type: "syscalls", calls });
      produced.push({ bytes: 0, calls: 2 });
    } else {
      print(log, 1000 + (i % 7));
      produced.push({ bytes: 1000 + (i % 7), calls: 0 });
    }
  }
  for (const from of [0, 1, 2, 500, 1499, 1500, 2999, 3000]) {
    const { events, next } = log.read(from, all);
    assertWhole(events, from, next);
    const got = { bytes: 0, calls: 0 };
    for (const event of events) {
      if (event.type === "gap" || event.type === "output") got.bytes += event.bytes;
      if (event.type === "gap") got.calls += event.calls;
      if (event.type === "syscalls") got.calls += event.calls.length;
    }
    const wanted = produced
      .slice(from)
      .reduce((a, b) => ({ bytes: a.bytes + b.bytes, calls: a.calls + b.calls }), {
        bytes: 0,
        calls: 0,
      });
    assert.deepEqual(got, wanted, `from ${from}`);
  }
});

test("a flood of calls evicts no output, a flood of output no calls, a flood of visits neither, and no flood the rest", () => {
  const log = new EventLog("r1");
  log.append({ type: "listening", host: "127.0.0.1", port: 1, url: "" });
  print(log, 10);
  for (let n = 0; n < 40_000; n += 10)
    log.append({ type: "syscalls", calls: Array.from({ length: 10 }, (_, i) => call(n + i)) });
  const calls = log.read(0, all).events;
  assert.deepEqual(
    calls.slice(0, 3).map(e => e.type),
    ["listening", "output", "gap"],
  );
  for (let i = 0; i < 3000; i++) print(log, 1000);
  const step = { type: "visit", visit: "v1", kind: "raw", who: "client", what: "got", when: 1 } as const;
  for (let i = 0; i < 3000; i++)
    log.append({
      ...step,
      text: "x".repeat(1000),
      statement: { code: "client-got", bytes: 1000, pieces: 1 },
    });
  const { events } = log.read(0, all);
  assert.equal(events[0]!.type, "listening");
  assert.ok(events.some(e => e.type === "syscalls"));
  assert.ok(events.some(e => e.type === "output"));
  const sizes = events.map(e => JSON.stringify(e).length);
  const kept = sizes.reduce((a, b) => a + b, 0);
  assert.ok(
    kept < limits.outputRingBytes + limits.syscallRingBytes + limits.visitRingBytes + 1e6,
    `${kept} bytes are kept`,
  );
});

test("calls that matter outlive calls that repeat, for a reader who comes after minutes", () => {
  const log = new EventLog("r1");
  let n = 0;
  const polls = () => ({ ...call(n++), returned: -1, errno: "EAGAIN", state: "waiting" as const });
  const accepts = () => ({ ...call(n++), call: "accept4" as const, returned: 9, matters: true as const });
  for (let client = 0; client < 50; client++)
    log.append({ type: "syscalls", calls: [polls(), accepts(), polls()] });
  // Two minutes of a server that polls: 1,000 calls a second are sent one by one, and a hundred times as many are counted.
  for (let second = 0; second < 120; second++) {
    for (let i = 0; i < 5; i++) log.append({ type: "syscalls", calls: Array.from({ length: 200 }, polls) });
    log.append({ type: "syscalls-omitted", first: n, count: 99_000, byName: { recv: 99_000 } });
    n += 99_000;
  }
  const { events, texts, next } = log.read(0, all);
  assertWhole(events, 0, next);
  assert.deepEqual(
    texts.map(text => JSON.parse(text)),
    events,
  );
  const shown = events.flatMap(event => (event.type === "syscalls" ? event.calls : []));
  assert.equal(shown.filter(one => one.call === "accept4").length, 50);
  const repeats = events.flatMap(event =>
    event.type === "syscalls" ? Object.values(event.repeats ?? {}) : [],
  );
  assert.deepEqual(repeats, new Array(50).fill(2));
  const counted = events.reduce(
    (sum, event) =>
      sum + (event.type === "gap" ? event.calls : event.type === "syscalls-omitted" ? event.count : 0),
    0,
  );
  assert.equal(shown.length + 100 + counted, n);
  assert.ok(
    events.every(event => event.type !== "gap" || event.repeats),
    "nothing that mattered is gone",
  );
  assert.match(
    linesOf(events[0]!).join("\n"),
    /^ +\d+\.\d{3} {2}… 2 calls that repeat are no longer kept: recv ×2 …$/m,
  );
});

test("a flood of calls that differ does not evict those that opened, closed or failed", () => {
  const log = new EventLog("r1");
  log.append({ type: "syscalls", calls: [{ ...call(0), call: "close" }] });
  for (let n = 1; n < 60_000; n++)
    log.append({ type: "syscalls", calls: [{ ...call(n), returned: n, matters: true }] });
  const [first, gap] = log.read(0, all).events;
  assert.deepEqual(first?.type === "syscalls" && first.calls.map(one => one.call), ["close"]);
  assert.ok(gap?.type === "gap" && !gap.repeats, "what is gone did matter");
});

test("a call that comes twice, entered and done, is one call in a gap", () => {
  const log = new EventLog("r1");
  log.append({ type: "syscalls", calls: [{ ...call(0), took: null }] });
  log.append({ type: "syscalls", calls: [call(0), call(1)] });
  for (let n = 2; n < 30_000; n++) log.append({ type: "syscalls", calls: [call(n)] });
  const [gap] = log.read(0, all).events;
  assert.ok(gap?.type === "gap");
  assert.equal(gap.calls, gap.events);
});

test("an event larger than its ring is kept: a log never ends in a hole", () => {
  const log = new EventLog("r1");
  print(log, 10);
  print(log, 2 * limits.outputRingBytes);
  const { events, next } = log.read(0, all);
  assert.deepEqual(
    events.map(e => e.type),
    ["gap", "output"],
  );
  assertWhole(events, 0, next);
});

test("readers are woken by each event until they leave, and the end is the end", () => {
  const log = new EventLog("r1");
  let woken = 0;
  const leave = log.onAppend(() => woken++);
  print(log, 1);
  assert.equal(log.ended, false);
  log.append({
    type: "exited",
    code: 0,
    signal: null,
    statement: { code: "exited-with", status: 0 },
    stopped: false,
  });
  leave();
  assert.equal(woken, 2);
  assert.equal(log.ended, true);
  assert.throws(() => print(log, 1), /has ended/);
});

test("however much an omission counts, what was printed around it is kept", () => {
  const log = new EventLog("r1");
  print(log, 1000);
  log.append({ type: "output-omitted", stream: "stdout", offset: 1000, bytes: 500_000_000, lines: 1 });
  print(log, 1000);
  const { events } = log.read(0, all);
  assert.deepEqual(
    events.map(event => event.type),
    ["output", "output-omitted", "output"],
  );
});

test("samples evict nothing but older samples, and one that a newer one replaced is no gap", () => {
  const log = new EventLog("r1");
  print(log, 10);
  const sample = {
    doing: "running",
    others: [{ fd: 3, what: "x".repeat(50_000) }],
  } as unknown as KernelSample;
  for (let i = 0; i < 100; i++) log.append({ type: "kernel", sample });
  print(log, 10);
  const { events, next } = log.read(0, all);
  assert.equal(next, 102);
  assert.deepEqual([...new Set(events.map(({ type }) => type))], ["output", "kernel"]);
  assert.ok(events.length <= 8, `${events.length} events`);
  assert.equal(log.newest("kernel")?.seq, 100);
  assert.equal(log.newest("exited"), null);
});

test("the JSON of an event is made once, however many readers there are, and that of a gap says what it says", t => {
  const stringify = t.mock.method(JSON, "stringify");
  const log = new EventLog("r1");
  for (let i = 0; i < 2000; i++) print(log, 1000);
  for (let reader = 0; reader < 5; reader++) log.read(1500, all);
  assert.equal(stringify.mock.callCount(), 2000);
  stringify.mock.restore();
  const { events, texts } = log.read(0, all);
  assert.equal(events[0]!.type, "gap");
  assert.deepEqual(
    texts.map(text => JSON.parse(text)),
    events,
  );
});
