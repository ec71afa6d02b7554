// The form of a text survives the editor: line ends and a byte order mark are those of the file.
import assert from "node:assert/strict";
import { test } from "node:test";
import { editorText, inForm, textFormOf } from "./text-form.ts";

for (const [what, text] of [
  ["LF", "a\nb\n"],
  ["CRLF", "a\r\nb\r\n"],
  ["a byte order mark", "\ufeffa\nb"],
  ["a byte order mark and CRLF", "\ufeffa\r\n\r\nb"],
  ["one line without an end", "a"],
  ["nothing", ""],
] as const)
  test(`a text with ${what} comes back as it was, and is only lines in between`, () => {
    assert.equal(inForm(editorText(text), textFormOf(text)), text);
    assert.match(editorText(text), /^[ab\n]*$/);
    assert.equal(editorText(text).split("\n").length, text.split("\n").length);
  });

test("of mixed line ends the more frequent one is written, and no line comes or goes", () => {
  assert.equal(inForm(editorText("a\r\nb\r\nc\n"), textFormOf("a\r\nb\r\nc\n")), "a\r\nb\r\nc\r\n");
  assert.equal(inForm(editorText("a\nb\nc\r\n"), textFormOf("a\nb\nc\r\n")), "a\nb\nc\n");
});
