// What a page keeps of a run that never ends: bounded, and exact about what it no longer has.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord } from "../../server-labs/protocol.ts";
import { CallList } from "./calls.ts";
import { type OutputEvent, OutputLog } from "./output.ts";

function call(n: number, more: Partial<CallRecord> = {}): CallRecord {
  const common = { at: n, fd: 4, args: [4], returned: 0, errno: null, peer: null, line: null };
  return { ...common, n, took: 1, call: "recv", state: "ready", ...more };
}
const syscalls = (...calls: CallRecord[]) => ({ type: "syscalls", run: "r", seq: 0, at: 0, calls }) as const;
const rowsOf = (calls: CallList) => Array.from({ length: calls.length }, (_, i) => calls.row(i)!);
/** Every call is a row of its own, or is counted by one. */
const counted = (calls: CallList) =>
  rowsOf(calls).reduce(
    (sum, row) => sum + (row.type === "call" ? 1 : row.type === "gap" ? row.calls : row.count),
    0,
  );
const ns = (calls: CallList) => rowsOf(calls).flatMap(row => (row.type === "call" ? [row.call.n] : []));

test("the newest calls are kept, all are counted, and one that sleeps is still found in its place", () => {
  const calls = new CallList(100);
  for (let n = 0; n < 950; n++) calls.add(syscalls(call(n)));
  calls.add(syscalls(call(950, { took: null })));
  for (let n = 951; n < 1000; n++) calls.add(syscalls(call(n)));
  calls.add(syscalls(call(950, { took: 77 })));
  assert.equal(calls.total, 1000);
  assert.equal(counted(calls), 1000);
  assert.ok(calls.length >= 60 && calls.length <= 111, `${calls.length} rows`);
  const took = rowsOf(calls).map(row => (row.type === "call" ? [row.call.n, row.call.took] : null));
  assert.deepEqual(
    took.find(row => row?.[0] === 950),
    [950, 77],
  );
  assert.equal(took.at(-1)?.[0], 999);
});

test("a call that returns after its place was forgotten changes nothing else", () => {
  const calls = new CallList(10);
  calls.add(syscalls(call(0, { took: null })));
  for (let n = 1; n < 100; n++) calls.add(syscalls(call(n)));
  calls.add(syscalls(call(0, { took: 5 })));
  assert.equal(calls.total, 100);
  assert.equal(counted(calls), 100);
});

test("what matters outlives a million calls that repeat, with the last call before it of its kind", () => {
  const calls = new CallList(1000);
  const polls = (n: number) => call(n, { call: "accept4", errno: "EAGAIN", returned: -1, state: "waiting" });
  let n = 0;
  for (; n < 50; n++) calls.add(syscalls(call(2 * n, { call: "accept4", returned: 7 }), polls(2 * n + 1)));
  const reset = { errno: "ECONNRESET", returned: -1, state: "failed", matters: true } as const;
  for (n = 100; n < 200; n++) calls.add(syscalls(polls(n)));
  calls.add(syscalls(call(n++, { call: "accept4", returned: 8 }), call(n++, reset)));
  for (; n < 1_000_000; n += 250) calls.add(syscalls(...Array.from({ length: 250 }, (_, i) => polls(n + i))));
  assert.equal(calls.total, n);
  assert.equal(counted(calls), n);
  assert.ok(calls.length < 1200, `${calls.length} rows`);
  assert.deepEqual(
    rowsOf(calls).flatMap(row => (row.type === "call" && row.call.returned > 0 ? [row.call.n] : [])),
    [...Array.from({ length: 50 }, (_, i) => 2 * i), 200],
  );
  assert.ok(ns(calls).includes(199), "the last poll before the last client");
  assert.ok(ns(calls).includes(201), "the error");
  assert.ok(!ns(calls).includes(198));
  assert.equal(calls.incomplete, false, "no call that mattered is gone");
});

test("of calls that matter the essential ones stay longest, and the first row counts what is gone", () => {
  const calls = new CallList(100);
  for (let n = 0; n < 30; n++) calls.add(syscalls(call(n, { call: "close" })));
  let n = 30;
  for (; n < 1000; n++) calls.add(syscalls(call(n, { returned: n, matters: true })));
  assert.deepEqual(
    ns(calls).slice(0, 30),
    Array.from({ length: 30 }, (_, i) => i),
  );
  assert.equal(calls.incomplete, false);
  for (; n < 2000; n++) calls.add(syscalls(call(n, { call: "close" })));
  const first = calls.row(0)!;
  assert.ok(first.type === "gap" && first.calls > 1000, "it says how many calls are gone");
  assert.equal(counted(calls), 2000);
  assert.equal(calls.incomplete, true);
});

test("calls that the lab server has only counted are counted here, and a gap of repeats hides nothing", () => {
  const calls = new CallList();
  calls.add({ ...syscalls(call(0, { call: "close" })), repeats: { recv: 7 } });
  calls.add({ type: "gap", run: "r", seq: 9, at: 0, events: 3, bytes: 0, calls: 40, repeats: true });
  assert.equal(counted(calls), 48);
  assert.deepEqual([calls.single, calls.incomplete], [1, false]);
  calls.add({ type: "gap", run: "r", seq: 19, at: 0, events: 3, bytes: 0, calls: 40 });
  assert.equal(calls.incomplete, true);
});

test("output is kept up to its bound; who listens late hears the command, what is missing, and the rest", () => {
  const output = new OutputLog(1000);
  const event = (seq: number) => ({ run: "r", seq, at: seq }) as const;
  output.add({ ...event(0), type: "listening", host: "127.0.0.1", port: 1, url: "" });
  for (let seq = 1; seq <= 100; seq++) {
    const text = "x".repeat(100);
    output.add({
      ...event(seq),
      type: "output",
      stream: "stdout",
      offset: (seq - 1) * 100,
      bytes: 100,
      text,
    });
  }
  const heard: OutputEvent[] = [];
  output.listen(event => heard.push(event));
  const [gap, first] = heard;
  assert.equal(gap?.type, "gap");
  assert.equal(first?.type, "output");
  assert.equal(gap?.type === "gap" && gap.bytes, first?.type === "output" && first.offset);
  assert.equal(heard.at(-1)?.seq, 100);
});
