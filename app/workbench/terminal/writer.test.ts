// The terminal's writer: order, turns that end, and acknowledgement when the last piece is parsed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "./writer.ts";

/** A terminal that parses at once, and a clock that every piece moves by a millisecond. */
function fixture() {
  const heard: string[] = [];
  let now = 0;
  const terminal = {
    write(text: string, written?: () => void) {
      now++;
      if (text !== "") heard.push(text);
      written?.();
    },
  };
  return { heard, writer: new Writer(terminal, () => now) };
}

const letters = (count: number, letter: string) => Array.from({ length: count }, () => letter);

test("what fits into a turn is written at once, and acknowledged behind its last piece", () => {
  const { heard, writer } = fixture();
  writer.add(["a", "b"], () => heard.push("(written)"));
  writer.add(["c"]);
  assert.deepEqual(heard, ["a", "b", "(written)", "c"]);
});

test("a turn ends, and the rest follows in order", async () => {
  const { heard, writer } = fixture();
  const all = new Promise<void>(resolve => {
    writer.add(letters(20, "a"), () => heard.push("(written)"));
    writer.add(["b"], resolve);
  });
  assert.ok(heard.length > 0 && heard.length < 20, `${heard.length} pieces in the first turn`);
  await all;
  assert.equal(heard.join(""), `${"a".repeat(20)}(written)b`);
});

test("what waits is forgotten when another run begins", async () => {
  const { heard, writer } = fixture();
  writer.add(letters(20, "a"));
  writer.clear();
  const before = heard.length;
  await new Promise<void>(resolve => writer.add(["b"], resolve));
  assert.deepEqual(heard.slice(before), ["b"]);
});
