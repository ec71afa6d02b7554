import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../protocol.ts";
import { type OutputBody, Pump } from "./output.ts";

/** A pump with a clock of its own, and everything that came out of it. */
function pumpAt(start = 0) {
  const clock = { now: start };
  const events: OutputBody[] = [];
  const pump = new Pump(
    "stdout",
    body => events.push(body),
    () => clock.now,
  );
  return { clock, events, pump };
}

const shown = (events: OutputBody[]) => events.map(e => (e.type === "output" ? e.text : "")).join("");
const countLines = (bytes: Buffer) => bytes.toString("latin1").split("\n").length - 1;

/** Offsets follow each other without a hole, and lines add up. */
function assertAccounted(events: OutputBody[], written: Buffer): void {
  let offset = 0;
  for (const event of events) {
    assert.equal(event.offset, offset);
    const bytes = written.subarray(offset, offset + event.bytes);
    if (event.type === "output") assert.equal(event.text, bytes.toString("utf8"));
    else assert.equal(event.lines, countLines(bytes));
    offset += event.bytes;
  }
  assert.equal(offset, written.length);
}

test("what is not too much comes out as it was, at once", () => {
  const { events, pump } = pumpAt();
  pump.push(Buffer.from("listening\n"));
  assert.deepEqual(events, [{ type: "output", stream: "stdout", offset: 0, bytes: 10, text: "listening\n" }]);
});

test("a character that arrives in two pieces is one character", () => {
  const { events, pump } = pumpAt();
  const bytes = Buffer.from("客€😀x");
  for (const byte of bytes) pump.push(Buffer.from([byte]));
  assert.equal(shown(events), "客€😀x");
  assertAccounted(events, bytes);
});

test("what is not UTF-8 becomes U+FFFD, and its bytes are counted", () => {
  const { events, pump } = pumpAt();
  const bytes = Buffer.from([0x61, 0xff, 0xc0, 0x80, 0x62, 0xe5, 0xae]);
  pump.push(bytes);
  pump.end();
  assert.match(shown(events), /^a\uFFFD+b\uFFFD+$/);
  assert.equal(
    events.reduce((sum, e) => sum + e.bytes, 0),
    bytes.length,
  );
});

test("a flood is cut in its middle: the beginning and the last words are there", () => {
  const { events, pump } = pumpAt();
  const lines = Array.from({ length: 1_000_000 }, (_, i) => `line ${i}\n`);
  const written = Buffer.from(lines.join(""));
  for (let at = 0; at < written.length; at += 65_536) pump.push(written.subarray(at, at + 65_536));
  pump.end();
  assertAccounted(events, written);
  const omitted = events.filter(e => e.type === "output-omitted");
  assert.equal(omitted.length, 1);
  assert.equal(omitted[0]!.offset, limits.outputBurstBytes);
  assert.ok(shown(events).startsWith("line 0\nline 1\n"));
  assert.ok(shown(events).endsWith("line 999998\nline 999999\n"));
  const tail = events.at(-1)!;
  assert.ok(tail.type === "output" && /^line \d+\n/.test(tail.text), "the tail begins at a line");
});

test("one line of 50 MB passes, in pieces", () => {
  const { events, pump } = pumpAt();
  const piece = Buffer.alloc(64 * 1024, "é");
  let written = 0;
  for (; written < 50e6; written += piece.length) pump.push(piece);
  pump.end();
  assert.equal(
    events.reduce((sum, e) => sum + e.bytes, 0),
    written,
  );
  assert.ok(events.every(e => e.bytes <= 64 * 1024 || e.type === "output-omitted"));
  assert.ok(!shown(events).includes("\uFFFD"), "no character was cut in two");
});

test("after a flood the stream goes on: quiet first, then as before", () => {
  const { clock, events, pump } = pumpAt();
  pump.push(Buffer.alloc(limits.outputBurstBytes + 100_000, "a\n"));
  assert.ok(pump.omitting);
  clock.now += limits.flushMs / 2;
  pump.tick();
  assert.ok(pump.omitting, "it may still be flooding");
  clock.now += limits.flushMs;
  pump.tick();
  assert.ok(!pump.omitting);
  clock.now += 5000;
  pump.push(Buffer.from("again\n"));
  assert.ok(shown(events).endsWith("a\nagain\n"));
});

test("property: shown and omitted together are what was written, whatever the sizes, rates and bytes", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = mulberry32(seed);
    const { clock, events, pump } = pumpAt();
    const written: Buffer[] = [];
    const pieces = 200 + Math.floor(random() * 200);
    for (let i = 0; i < pieces; i++) {
      const size = Math.floor(random() ** 4 * 150_000);
      const chunk = Buffer.alloc(size);
      const kind = random();
      for (let at = 0; at < size; at++)
        chunk[at] = kind < 0.3 ? random() * 256 : kind < 0.6 ? 0x61 + (at % 20) : at % 11 === 0 ? 10 : 0xe5;
      written.push(chunk);
      pump.push(chunk);
      clock.now += random() < 0.2 ? random() * 200 : random() * 2;
      if (random() < 0.5) pump.tick();
    }
    pump.end();
    assertAccounted(events, Buffer.concat(written));
    const rate = limits.outputBurstBytes + (clock.now / 1000) * limits.outputBytesPerSecond;
    const bytes = events.reduce((sum, e) => sum + (e.type === "output" ? e.bytes : 0), 0);
    assert.ok(bytes <= rate + 2 * limits.outputTailBytes, `seed ${seed}: ${bytes} bytes shown`);
  }
});

/** A small random number generator with a seed: a failure can be had again. */
function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
