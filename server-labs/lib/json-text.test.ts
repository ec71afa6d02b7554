// JSON text: a terminal obeys no part of it, and a program reads the same value.
import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonText } from "./json-text.ts";

test("control characters that JSON allows are escaped, and read back", () => {
  const value = { text: "a\x1b[8m\u009b8m\u0085\x7f\u202e\u2066\u2028 你好 👩‍💻" };
  const text = jsonText(value);
  assert.equal(text, '{"text":"a\\u001b[8m\\u009b8m\\u0085\\u007f\\u202e\\u2066\\u2028 你好 👩‍💻"}');
  assert.deepEqual(JSON.parse(text), value);
  assert.equal(jsonText({ a: 1 }, 1), '{\n "a": 1\n}');
});
