// The report of a check for a terminal: what it quotes of a server or a client commands no terminal.
import assert from "node:assert/strict";
import { test } from "node:test";
import { failureLines } from "./report.ts";

test("a failure that quotes a client's escape sequences shows them", () => {
  const failure = {
    summary: "the answer has Server: \x1b[2J\u202e.",
    expected: "Server: tea",
    actual: '"\x1b[8m"',
    evidence: ["the last lines that it printed:", "  GET \x1b]0;\u009b8m"],
    because: "a\nb",
  };
  const text = failureLines(failure, "server.ts").join("\n");
  assert.doesNotMatch(text, /[^\P{C}\n]/u);
  assert.match(text, /the answer has Server: ␛\[2J\\u202e\./);
  assert.match(text, /GET ␛\]0;\\u009b8m/);
  assert.match(text, /^a\nb$/m);
});
