// The words of authors: what is found, where, and what is left alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { writeBook } from "../fixtures/book.ts";
import { readBook } from "./book.ts";
import { place } from "./problem.ts";
import { wordingOf, wordingProblems } from "./wording.ts";

/** What is found, as "line:column word". */
const found = (text: string) =>
  wordingOf(text).map(({ at, sentence }) => {
    const { line, column } = place(text, at);
    return `${line}:${column} ${/^"([^"]+)"/.exec(sentence)?.[1] ?? sentence}`;
  });

test("words that hide who acts are found at their place", () => {
  assert.deepEqual(found("The queue is empty.\nNobody calls accept, and it stands there."), [
    "2:1 Nobody",
    "2:29 stands",
  ]);
  assert.deepEqual(found("- Whoever comes, waits.\n- An answer that is none. CRLF stands for two bytes."), [
    "1:3 Whoever",
    "2:18 is none",
  ]);
  assert.deepEqual(found("| a | b |\n| --- | --- |\n| five octets | x |\n"), ["3:8 octets"]);
});

test("a headless who is found, and a question or a relative clause is not", () => {
  assert.deepEqual(found("Who does not listen loses the rest. Who listens?"), ["1:1 Who"]);
  assert.deepEqual(found("The client waits, and who waits pays. The client, who waits, pays."), ["1:23 who"]);
});

test("code, quotations, names and links keep their words", () => {
  const text = [
    "---\ntitle: Bytes\nlab:\n  port: 7890\n---",
    "```text\nnobody stands\n```",
    "`octet` and :check[octets], “an octet is eight bits”, [here](/a/octets-and-characters)",
    "> nobody\n",
    "::::predict{#nobody}\nIs it ready?\n\n- [x] no\n::::",
  ].join("\n\n");
  assert.deepEqual(found(text), []);
  assert.deepEqual(found("---\ntitle: Nobody\n---\n"), ["2:8 Nobody"]);
});

test("a sentence over 30 words is found; code is one word of it", () => {
  const words = (n: number) => `${"word ".repeat(n - 1)}\`one two\`.`;
  assert.deepEqual(found(`Short. ${words(30)}`), []);
  assert.deepEqual(found(`Short. ${words(31)}`), [
    "1:8 This sentence has 31 words, and 30 are the most: make two of it.",
  ]);
  assert.deepEqual(found(`${"word ".repeat(20)}\n- ${"word ".repeat(20)}`), [], "an item is on its own");
});

test("a lesson's text, hints and checks are looked at, until it is listed as not yet rewritten", () => {
  using book = writeBook({
    "01-sockets/02-listen/lab/checks.ts":
      '/** Nobody sends. */\ncheck("answers", "answers", async () => {\n  fail("Somebody waits here.", { see: "curl # nobody is here" });\n});\n',
    "01-sockets/02-listen/lab/hints.md": "## answers\n\n### 1\n\nWhoever asks.\n",
  });
  const told = () => {
    const [lesson] = readBook(book.folder).lessons;
    return wordingProblems(lesson!, book.folder).map(
      p => `${p.file.split("/").at(-1)}:${p.line}:${p.column}`,
    );
  };
  assert.deepEqual(told(), ["hints.md:5:1", "checks.ts:1:5", "checks.ts:3:9"]);
  book.write("unrevised.txt", "# to be rewritten\nsockets/listen\n");
  assert.deepEqual(told(), []);
});
