import assert from "node:assert/strict";
import { ftruncateSync } from "node:fs";
import { test } from "node:test";
import { EventLog } from "../events/event-log.ts";
import { aRecord, Writer } from "../fixtures/records.ts";
import { type CallRecord, limits } from "../protocol.ts";
import { layout } from "./layout.ts";
import { createTraceMemory } from "./memory.ts";
import { TraceReader } from "./reader.ts";
import type { CallsBody } from "./shown-calls.ts";

function watched() {
  const fd = createTraceMemory();
  const clock = { now: 0 };
  const events: CallsBody[] = [];
  const names: number[] = [];
  const reader = new TraceReader(
    fd,
    performance.now(),
    body => events.push(body),
    { see: record => names.push(record.length), moved: () => names.push(0) },
    () => clock.now,
  );
  return { fd, clock, events, reader, seen: names, program: new Writer(fd) };
}

const recv = (fd: number, result = 1) => aRecord("recv", [fd, 0, 100, 0], { result });
const callsOf = (events: CallsBody[]): CallRecord[] =>
  events.flatMap(e => (e.type === "syscalls" ? e.calls : []));

/** Every call is shown (perhaps twice: entered, done) or counted. */
function assertAccounted(events: CallsBody[], made: number): void {
  let next = 0;
  const shown = new Set<number>();
  let counted = 0;
  for (const event of events) {
    if (event.type === "syscalls-omitted") {
      const { first, count, byName, lost = 0, through = first + count - 1 } = event;
      assert.equal(first, next);
      const named = Object.values(byName).reduce((a, b) => a + b, 0);
      assert.equal(named + lost, count, "every call that was left out has a name, or is said to be lost");
      assert.ok(!("?" in byName));
      counted += count;
      // Those between that are shown follow.
      next = count === through - first + 1 ? through + 1 : first;
    } else {
      for (const { n } of event.calls) {
        assert.ok(n >= next - 1, `call ${n} follows ${next - 1}`);
        shown.add(n);
        next = n + 1;
      }
    }
  }
  assert.equal(counted + shown.size, made);
}

test("calls are read in order, once", () => {
  const { events, reader, program } = watched();
  program.call(recv(3), recv(4));
  reader.read();
  program.call(recv(5));
  reader.read();
  reader.read();
  reader.close();
  assert.deepEqual(
    callsOf(events).map(c => [c.n, c.fd]),
    [
      [0, 3],
      [1, 4],
      [2, 5],
    ],
  );
});

test("a call that sleeps comes twice: entered, then done", () => {
  const { events, reader, program } = watched();
  program.call(recv(3), aRecord("nanosleep", [1, 0], { took: -1 }));
  reader.read();
  reader.read();
  program.put(1, aRecord("nanosleep", [1, 0], { took: 1e6 }));
  program.call(recv(4));
  reader.read();
  reader.close();
  assert.deepEqual(
    callsOf(events).map(c => [c.n, c.call, c.took]),
    [
      [0, "recv", 10],
      [1, "nanosleep", null],
      [1, "nanosleep", 1e6],
      [2, "recv", 10],
    ],
  );
});

test("too many calls are counted by name, and the newest are shown", () => {
  const { clock, events, reader, program } = watched();
  let made = 0;
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4000; i++)
      program.put(program.head++, i % 4 === 0 ? recv(i) : aRecord("accept4", [3], {}));
    program.call();
    made += 4000;
    clock.now += 5;
    reader.read();
  }
  reader.close();
  assertAccounted(events, made);
  const omitted = events.find(e => e.type === "syscalls-omitted")!;
  assert.ok(omitted.type === "syscalls-omitted");
  assert.equal(omitted.first, limits.syscallsBurst + (limits.syscallsPerSecond / 1000) * 10);
  const { recv: received = 0, accept4: accepted = 0 } = omitted.byName;
  assert.ok(Math.abs(accepted - 3 * received) < 10, `${accepted} accept4, ${received} recv`);
  assert.equal(callsOf(events).at(-1)!.n, made - 1);
  assert.ok(callsOf(events).length >= limits.syscallsBurst + limits.syscallsTail);
});

test("what was written over before it was read is counted by name", () => {
  const { clock, events, reader, program } = watched();
  clock.now += 20;
  for (let i = 0; i < 20_000; i++)
    program.put(program.head++, i % 4 === 0 ? aRecord("accept4", [3], {}) : recv(i % 100));
  program.call();
  reader.read();
  reader.close();
  assertAccounted(events, 20_000);
  const omitted = events.find(e => e.type === "syscalls-omitted")!;
  assert.ok(omitted.type === "syscalls-omitted");
  // The slot that comes next may be half written: of the ring one record less than its capacity is safe.
  const lost = 20_000 - layout.capacity + 1;
  assert.deepEqual(omitted.byName, { recv: lost - Math.ceil(lost / 4), accept4: Math.ceil(lost / 4) });
  assert.equal(omitted.lost, undefined);
  assert.equal(callsOf(events)[0]!.n, lost);
});

test("where the counts by name make no sense, calls are said to be lost", () => {
  const { clock, events, reader, program } = watched();
  clock.now += 20;
  for (let i = 0; i < 20_000; i++) program.put(program.head++, recv(i % 100));
  program.call();
  program.word(layout.header.counts, 7);
  reader.read();
  reader.close();
  assertAccounted(events, 20_000);
  const omitted = events.find(e => e.type === "syscalls-omitted")!;
  assert.ok(omitted.type === "syscalls-omitted");
  assert.deepEqual([omitted.byName, omitted.lost], [{}, 20_000 - layout.capacity + 1]);
});

/** struct sockaddr_in of 127.0.0.1. */
const addressOf = (port: number) => Buffer.from([2, 0, port >> 8, port & 255, 127, 0, 0, 1]);

test("what the program has kept of a flood is shown with its peer, though it was written over", () => {
  const { clock, events, reader, program } = watched();
  const make = (record: Buffer, kept: boolean) => {
    if (kept) program.keep(program.head, record);
    program.put(program.head++, record);
  };
  clock.now += 100;
  for (let client = 0; client < 50; client++) {
    for (let i = 0; i < 400; i++) make(recv(i % 20, -1), false);
    make(aRecord("accept4", [3], { result: 50 + client, address: addressOf(40_000 + client) }), true);
    make(recv(50 + client, 78), true);
  }
  program.call();
  reader.read();
  reader.close();
  assertAccounted(events, program.head);
  const shown = callsOf(events).filter(({ returned }) => returned !== -1);
  assert.deepEqual(
    shown.map(({ call, peer }) => `${call} ${peer}`),
    Array.from({ length: 50 }, (_, i) =>
      ["accept4", "recv"].map(call => `${call} 127.0.0.1:${40_000 + i}`),
    ).flat(),
  );
  assert.equal(
    reader.lost,
    program.head -
      layout.capacity +
      1 -
      callsOf(events).filter(({ n }) => n <= program.head - layout.capacity).length,
  );
});

test("the calls of a burst are found after three minutes of polling, in the log and in what it sends late", () => {
  const fd = createTraceMemory();
  const clock = { now: 0 };
  const log = new EventLog("r1");
  const reader = new TraceReader(
    fd,
    performance.now(),
    body => log.append(body),
    undefined,
    () => clock.now,
  );
  const program = new Writer(fd);
  const make = (record: Buffer) => {
    program.keep(program.head, record);
    program.put(program.head++, record);
  };
  const poll = recv(7, -1);
  const look = (ms: number) => {
    program.repeat(2000, poll);
    program.call();
    clock.now += ms;
    reader.read();
  };
  // What it may show one by one is used up before the clients come.
  for (let i = 0; i < 10; i++) look(20);
  for (let client = 0; client < 50; client++) {
    make(aRecord("accept4", [3], { result: 50 + client, address: addressOf(40_000 + client) }));
    make(recv(50 + client, 78));
    make(aRecord("close", [50 + client], {}));
  }
  for (let waited = 0; waited < 180_000; waited += 250) look(250);
  reader.close();
  const { events } = log.read(0, Number.POSITIVE_INFINITY);
  const shown = events.flatMap(event => (event.type === "syscalls" ? event.calls : []));
  assert.deepEqual(
    shown.filter(({ returned }) => returned !== -1).map(({ call, peer }) => `${call} ${peer}`),
    Array.from({ length: 50 }, (_, i) =>
      ["accept4", "recv", "close"].map(call => `${call} 127.0.0.1:${40_000 + i}`),
    ).flat(),
  );
  assert.ok(shown.length < 20_000, "and most that repeat are not");
  const counts = events.map(event => {
    if (event.type === "gap") return event.calls;
    if (event.type === "syscalls-omitted") return event.count;
    const repeats = event.type === "syscalls" ? Object.values(event.repeats ?? {}) : [];
    return repeats.reduce((a, b) => a + b, 0) + (event.type === "syscalls" ? event.calls.length : 0);
  });
  assert.equal(
    counts.reduce((a, b) => a + b),
    program.head,
  );
});

test("the newest calls of a flood are read when there are newer ones, or no more", () => {
  const { clock, events, reader, seen, program } = watched();
  let made = 0;
  const flood = () => {
    for (let i = 0; i < 4000; i++) program.put(program.head++, recv(i));
    program.call();
    made += 4000;
    clock.now += limits.flushMs;
    reader.wake();
  };
  while (made <= limits.syscallsBurst) flood();
  flood();
  assert.equal(seen.length, made - limits.syscallsTail);
  flood();
  assert.equal(seen.length, made - limits.syscallsTail);
  clock.now += limits.flushMs;
  reader.wake();
  assert.equal(seen.length, made, "it is quiet: these were the last");
  reader.close();
  assertAccounted(events, made);
  assert.equal(callsOf(events).at(-1)!.n, made - 1);
});

test("the count may wrap at 2^32", () => {
  const { clock, events, reader, program } = watched();
  program.head = 2 ** 32 - 2;
  program.call();
  reader.read(); // so far ahead is nonsense: nothing is known of it, and nothing is made of it
  clock.now += 100;
  program.put(2 ** 32 - 2, recv(1));
  program.put(2 ** 32 - 1, recv(2));
  program.head = 0;
  program.call(recv(3));
  reader.read();
  reader.close();
  assert.deepEqual(
    callsOf(events).map(c => c.fd),
    [1, 2, 3],
  );
});

test("a call that was entered first is seen again when it is done", () => {
  const { seen, reader, program } = watched();
  program.call(aRecord("listen", [3, 128], { took: -1 }));
  reader.read();
  program.put(0, aRecord("listen", [3, 128], {}));
  reader.read();
  reader.close();
  assert.equal(seen.length, 2);
});

test("the observer gets every record, also those that are left out", () => {
  const { seen, reader, program } = watched();
  for (let round = 0; round < 3; round++) {
    program.repeat(8000, recv(1));
    program.call();
    reader.read();
  }
  reader.close();
  assert.equal(seen.length, 24_000);
});

test("garbage in the memory is bounded, and ends with the run", () => {
  const { fd, clock, events, reader, program } = watched();
  for (const byte of [0xff, 0x80, 0x7f, 0x01, 0]) {
    program.scribble(byte);
    new Writer(fd);
    program.word(layout.header.head, byte * 0x01010101);
    clock.now += 20;
    reader.read();
  }
  for (let head = 1; head < 2 ** 32; head = head * 7 + 3) {
    program.word(layout.header.head, head);
    clock.now += 1;
    reader.read();
  }
  ftruncateSync(fd, 10);
  reader.read();
  ftruncateSync(fd, 0);
  reader.close();
  reader.read();
  reader.wake();
  const omitted = events.reduce((sum, e) => sum + (e.type === "syscalls-omitted" ? e.count : 0), 0);
  assert.ok(omitted <= 20_000 * (clock.now + 1) + 100 * layout.capacity, "no more than a machine can make");
});

test("a look before there is anything to see does not delay the first call", () => {
  const { events, reader, program } = watched();
  program.word(layout.header.magic, 0);
  reader.wake();
  program.word(layout.header.magic, layout.magic);
  program.call(recv(3));
  reader.wake();
  assert.equal(callsOf(events).length, 1);
  reader.close();
});

test("a storm of wakes costs one read each flushMs", async t => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { clock, events, reader, program } = watched();
  for (let i = 0; i < 1000; i++) {
    program.call(recv(i));
    reader.wake();
  }
  assert.equal(callsOf(events).length, 1, "the first is seen at once, the others wait for flushMs");
  clock.now += limits.flushMs;
  t.mock.timers.tick(limits.flushMs);
  assert.equal(callsOf(events).length, 1000);
  reader.close();
});
