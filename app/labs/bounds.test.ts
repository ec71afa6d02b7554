// What a page keeps of a run that never ends: bounded, and exact about what it no longer has.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Syscall } from "../../server-labs/protocol.ts";
import { Calls } from "./calls.ts";
import { Output, type OutputEvent } from "./output.ts";

function call(n: number, took: number | null = 1): Syscall {
  const common = { at: n, fd: 4, args: "", result: "", returned: 0, errno: null, line: null };
  return { ...common, n, took, name: "recv", state: "ready" };
}
const syscalls = (...calls: Syscall[]) => ({ type: "syscalls", run: "r", seq: 0, at: 0, calls }) as const;

test("the newest calls are kept, all are counted, and one that sleeps is still found in its place", () => {
  const calls = new Calls(100);
  for (let n = 0; n < 950; n++) calls.add(syscalls(call(n)));
  calls.add(syscalls(call(950, null)));
  for (let n = 951; n < 1000; n++) calls.add(syscalls(call(n)));
  calls.add(syscalls(call(950, 77)));
  assert.equal(calls.total, 1000);
  assert.equal(calls.length + calls.forgotten, 1000);
  assert.ok(calls.length >= 100 && calls.length <= 111);
  const kept = Array.from({ length: calls.length }, (_, i) => calls.row(i)!);
  const took = kept.map(row => (row.type === "call" ? [row.call.n, row.call.took] : null));
  assert.deepEqual(
    took.find(row => row?.[0] === 950),
    [950, 77],
  );
  assert.equal(took.at(-1)?.[0], 999);
});

test("a call that returns after its place was forgotten changes nothing else", () => {
  const calls = new Calls(10);
  calls.add(syscalls(call(0, null)));
  for (let n = 1; n < 100; n++) calls.add(syscalls(call(n)));
  calls.add(syscalls(call(0, 5)));
  assert.equal(calls.total, 100);
  assert.equal(calls.length + calls.forgotten, 100);
});

test("output is kept up to its bound; who listens late hears the command, what is missing, and the rest", () => {
  const output = new Output(1000);
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
