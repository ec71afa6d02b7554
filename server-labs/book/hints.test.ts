import assert from "node:assert/strict";
import { test } from "node:test";
import { readHints } from "./hints.ts";

/** The ladders as the texts of their rungs, and the mistakes each with its place. */
function read(text: string, ids: string[]) {
  const { ladders, mistakes } = readHints(text, ids);
  const rungs = [...ladders].map(
    ([id, ladder]) => [id, ladder.rungs.map(({ from, to }) => text.slice(from, to).trim())] as const,
  );
  return { rungs, mistakes: mistakes.map(({ at, sentence }) => `${text.slice(at, at + 5)}| ${sentence}`) };
}

test("hints are ladders; what is in a code block is no heading", () => {
  const text =
    "# Hints\n\n## one\n\n### 1\n\nA.\n\n### 2\n\n````sh\n## no heading\n```\n### 3\n````\n\n## two ##\n### 1\nB.";
  assert.deepEqual(read(text, ["one", "two"]), {
    rungs: [
      ["one", ["A.", "````sh\n## no heading\n```\n### 3\n````"]],
      ["two", ["B."]],
    ],
    mistakes: [],
  });
});

test("a mistake is reported at its place", () => {
  const text = "## oen\n### 2\nA.\n## two\nB.\n\nC.\n### 1\nD.\n## two\n### 2\nE.";
  assert.deepEqual(read(text, ["one", "two"]), {
    rungs: [
      ["oen", ["A."]],
      ["two", ["D.", "E."]],
    ],
    mistakes: [
      'oen\n#| There is no check "oen". Did you mean "one"?',
      '### 2| The next hint is "### 1".',
      'B.\n\nC| This text belongs to no hint: write "### 1" before it.',
      'two\n#| The check "two" already has hints above.',
      '## oe| The check "one" has no hints: "## one", then "### 1".',
    ],
  });
});
