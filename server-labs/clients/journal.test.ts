// The journal of a check, and bytes as readable text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { count } from "../protocol.ts";
import { Journal, quoted } from "./journal.ts";

test("a long journal keeps its beginning and its end, and counts the lines in between", () => {
  const journal = new Journal();
  for (let i = 0; i < 100; i++) journal.note(`step ${i}`);
  const lines = journal.lines();
  assert.match(lines[0]!, /step 0$/);
  assert.match(lines.at(-1)!, /step 99$/);
  assert.match(lines[6]!, /… 80 more …/);
  assert.equal(lines.length, 21);
});

test("the same step of many clients is one line", () => {
  const journal = new Journal();
  for (let i = 1; i <= 50; i++) journal.note(`client ${i} sends "x"`);
  journal.note("client 50 closes");
  journal.note("client 49 closes");
  const lines = journal.lines().map(line => line.replace(/^ *\d+ ms {2}/, ""));
  assert.deepEqual(lines, [
    'client 1 sends "x" (and the same for 49 others, to client 50)',
    "client 50 closes (and the same for 1 other, to client 49)",
  ]);
});

test("quoted bytes are escaped, and long text is cut in the middle", () => {
  assert.equal(quoted('a\r\n\x00é"'), '"a\\r\\n\\x00é\\""');
  assert.equal(quoted(Uint8Array.of(0x61, 0xff)), '"a\\xff"');
  assert.equal(quoted("小\u2028明\u3000\ufeff 🍵"), '"小\\xe2\\x80\\xa8明\\xe3\\x80\\x80\\xef\\xbb\\xbf 🍵"');
  assert.equal(quoted("\x1b[8m\u009b\u202e"), '"\\x1b[8m\\xc2\\x9b\\xe2\\x80\\xae"');
  assert.equal(quoted("\u0301"), '"\\xcc\\x81"', "a mark has no letter, and would be drawn onto the quote");
  assert.equal(quoted(`e${"\u0301".repeat(5)}`), `"e${"\u0301".repeat(3)}${"\\xcc\\x81".repeat(2)}"`);
  assert.equal(
    quoted(Buffer.from("输入").subarray(1)),
    '"\\xbe\\x93入"',
    "half a character, and a whole one",
  );
  assert.equal(quoted("x".repeat(1000), 10), '"xxxxx … xxxxx" (1,000 bytes)');
  assert.equal(count(1, "byte"), "1 byte");
});
