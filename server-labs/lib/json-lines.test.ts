import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonLine, JsonLines } from "./json-lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const value = (value: unknown): JsonLine => ({ kind: "value", value });

test("chunks may be cut anywhere, also inside a character", () => {
  const text = '{"a":"日本 é"}\n[1,2]\n\n"…"\n';
  const all = bytes(text);
  const expected = [value({ a: "日本 é" }), value([1, 2]), { kind: "empty" }, value("…")];
  for (let first = 0; first <= all.length; first++)
    for (let second = first; second <= all.length; second += 3) {
      const lines = new JsonLines(100);
      const found = [all.subarray(0, first), all.subarray(first, second), all.subarray(second)].flatMap(
        chunk => lines.push(chunk),
      );
      assert.deepEqual(found, expected, `cut at ${first} and ${second}`);
    }
});

test("a line comes when its newline has come, though the chunk's memory is used again", () => {
  const lines = new JsonLines(100);
  const room = bytes('{"n":1');
  assert.deepEqual(lines.push(room), []);
  room.fill(0x20);
  assert.deepEqual(lines.push(bytes("}\n2\n3")), [value({ n: 1 }), value(2)]);
  assert.deepEqual(lines.push(bytes("\n")), [value(3)]);
});

test("a line may have as many bytes as the bound says, and not one more", () => {
  const lines = new JsonLines(6);
  assert.deepEqual(lines.push(bytes('"1234"\n')), [value("1234")]);
  assert.deepEqual(lines.push(bytes('"12345"\n7\n')), [
    { kind: "bad", problem: 'A line is longer than 6 bytes: "\\"12345\\"".' },
    value(7),
  ]);
});

test("a line that does not end is reported once, as soon as it is too long, and the next line is read", () => {
  const lines = new JsonLines(100_000);
  const flood = new Uint8Array(64 * 1024).fill(0x78);
  assert.deepEqual(lines.push(flood), []);
  assert.deepEqual(lines.push(flood), [
    { kind: "bad", problem: `A line is longer than 100000 bytes: "${"x".repeat(80)}".` },
  ]);
  for (let i = 0; i < 100; i++) assert.deepEqual(lines.push(flood), []);
  assert.deepEqual(lines.push(bytes("\n{}\n")), [value({})]);
});

test("a line that is not UTF-8 or not JSON is reported, and the next line is read", () => {
  const lines = new JsonLines(100);
  assert.deepEqual(lines.push(Uint8Array.of(0x22, 0xff, 0x22, 0x0a)), [
    { kind: "bad", problem: 'A line is not UTF-8: "\\"\ufffd\\"".' },
  ]);
  assert.deepEqual(lines.push(bytes("{oops\n \t\n1\n")), [
    { kind: "bad", problem: 'A line is not JSON: "{oops".' },
    { kind: "empty" },
    value(1),
  ]);
});
