// Visible text: what a terminal or a page would obey is written as a notation; words stay.
import assert from "node:assert/strict";
import { test } from "node:test";
import { mostMarks, visible } from "./visible.ts";

test("words of all scripts stay as they are", () => {
  for (const text of [
    "GET /",
    "你好",
    "naïve",
    "Việt Nam".normalize("NFD"),
    "नमस्ते",
    "한국어".normalize("NFD"),
    "👩‍💻 ✔️",
    "שלום",
    "a\tb",
  ])
    assert.equal(visible(text), text);
});

test("control characters are shown, and so are the invisible ones that turn or hide words", () => {
  assert.equal(visible("\x1b[8m\x07\x00\x7f\r"), "␛[8m␇␀␡␍");
  assert.equal(
    visible("\u009b\u0085\u202e\u2066\u2028\ufeff\u00ad\u{e0041}\ud800"),
    "\\u009b\\u0085\\u202e\\u2066\\u2028\\ufeff\\u00ad\\u{e0041}\\ud800",
  );
  assert.equal(visible("a\nb", "\n"), "a\nb");
  assert.equal(visible("a\nb"), "a␊b");
});

test("a mark needs a letter, and a letter has few marks", () => {
  assert.equal(visible("\u0301a"), "◌\u0301a");
  assert.equal(visible(`a${"\u0301".repeat(1000)}b`), `a${"\u0301".repeat(mostMarks)}…b`);
});
