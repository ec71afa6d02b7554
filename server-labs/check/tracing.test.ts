// The trace memory as a check reads it: every call once, whole, and the right number of those that were missed.
import assert from "node:assert/strict";
import { writeSync } from "node:fs";
import { test } from "node:test";
import { callIndex, type TracedCall } from "../protocol.ts";
import { layout, recordOffset } from "../trace/layout.ts";
import { createTraceMemory } from "../trace/memory.ts";
import { Tracing } from "./tracing.ts";

const at = layout.record;

/** A program's end of the memory, by hand. */
class Writer {
  readonly fd = createTraceMemory();
  head = 0;

  constructor(head = 0) {
    this.head = head;
  }

  call(name: TracedCall, result: number, took = 1): void {
    this.rewrite(this.head, name, result, took);
    this.head = (this.head + 1) >>> 0;
    this.publish();
  }

  rewrite(index: number, name: TracedCall, result: number, took = 1): void {
    const record = Buffer.alloc(layout.recordBytes);
    record.writeDoubleLE(took, at.took);
    record.writeInt32LE(result, at.result);
    record.writeUInt16LE(callIndex(name), at.call);
    record.writeInt32LE(result, at.args);
    writeSync(this.fd, record, 0, record.length, recordOffset(index));
  }

  publish(): void {
    const header = Buffer.alloc(12);
    header.writeUInt32LE(layout.magic, layout.header.magic * 4);
    header.writeUInt32LE(layout.version, layout.header.version * 4);
    header.writeUInt32LE(this.head, layout.header.head * 4);
    writeSync(this.fd, header, 0, header.length, 0);
  }
}

const results = (tracing: Tracing, from = 0) => tracing.since(from).list.map(call => call.returned);

test("calls come once, in order", () => {
  const writer = new Writer();
  const tracing = new Tracing(writer.fd);
  tracing.turn();
  assert.equal(tracing.alive, false);
  writer.call("recv", 1);
  tracing.turn();
  writer.call("recv", 2);
  writer.call("recv", 3);
  tracing.turn();
  tracing.turn();
  assert.deepEqual(results(tracing), [1, 2, 3]);
  assert.deepEqual(results(tracing, 2), [3]);
  tracing.close();
});

test("a call that has not returned is seen, and seen again when it has", () => {
  const writer = new Writer();
  const tracing = new Tracing(writer.fd);
  writer.call("recv", 0, -1);
  tracing.turn();
  assert.equal(tracing.inside?.call, "recv");
  writer.rewrite(0, "recv", 7);
  tracing.turn();
  assert.equal(tracing.inside, null);
  assert.deepEqual(results(tracing), [7]);
  writer.call("send", 0, -1);
  tracing.turn();
  writer.rewrite(1, "send", 8);
  writer.call("close", 9);
  tracing.turn();
  assert.deepEqual(results(tracing), [7, 8, 9]);
  tracing.close();
});

test("what was written over is counted, and what is left is right", () => {
  const writer = new Writer();
  const tracing = new Tracing(writer.fd);
  for (let i = 0; i < layout.capacity + 100; i++) writer.call("recv", i);
  tracing.turn();
  const calls = tracing.since(0);
  assert.equal(calls.length + calls.missed, layout.capacity + 100);
  // The program may be writing the record after its newest: the oldest one in the ring is not believed.
  assert.equal(calls.missed, 101);
  assert.equal(calls.list[0]!.returned, 101);
  assert.equal(calls.last!.returned, layout.capacity + 99);
  assert.equal(calls.last!.n, layout.capacity + 99);
  tracing.close();
});

test("a ring that wraps between two looks is one story", () => {
  const writer = new Writer();
  const tracing = new Tracing(writer.fd);
  for (let i = 0; i < 3 * layout.capacity; i++) {
    writer.call("recv", i);
    if (i % 1000 === 0) tracing.turn();
  }
  tracing.turn();
  assert.deepEqual(results(tracing), [...Array(3 * layout.capacity).keys()]);
  assert.equal(tracing.since(0).missed, 0);
  tracing.close();
});
