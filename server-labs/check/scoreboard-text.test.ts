// The table of a scoreboard on a terminal: columns that line up, lines that are not too long, and no control characters.
import assert from "node:assert/strict";
import { test } from "node:test";
import { boardLines } from "./scoreboard-text.ts";

const checks = [
  { id: "half-close", title: "answers a half-closed client", group: "many clients" },
  { id: "drip", title: "waits ten seconds", group: "time" },
];
const why = `The server \x1b[2J waited. ${"It waits and waits. ".repeat(12)}`;
const lines = boardLines("epoll/static-server", checks, {
  servers: [
    { id: "own", name: "server.ts" },
    { id: "course", name: "course 2.3", missing: { program: "python3", get: "apt-get install python3" } },
    { id: "nginx", name: "nginx" },
  ],
  results: {
    own: { "half-close": { state: "passed" }, drip: { state: "failed", why } },
    nginx: { "half-close": { state: "unjudged", why: "A rule of this lab." }, drip: { state: "passed" } },
  },
});

test("a row for each check, below its heading, and the sums", () => {
  assert.deepEqual(lines.slice(0, 12), [
    "epoll/static-server · scoreboard",
    "",
    "              server.ts  course 2.3       nginx",
    "many clients",
    "  half-close  ✓ passed   · not installed  – not judged",
    "time",
    "  drip        ✗ failed   · not installed  ✓ passed",
    "",
    "passed        1          –                1",
    "failed        1          –                0",
    "not judged    0          –                1",
    "",
  ]);
});

test("below it a server that is missing is named, and each check that was not passed has its reason", () => {
  const text = lines.join("\n");
  assert.match(text, /^course 2\.3: not installed: apt-get install python3\.$/m);
  assert.match(text, /^nginx: 1 of 2 checks passed, 1 not judged\.\n {2}half-close, not judged: A rule/m);
  assert.match(text, /^ {2}drip, failed: The server ␛\[2J waited\. It waits[\s\S]+\n {4}\S/m);
  assert.ok(
    lines.every(line => line.length <= 96),
    text,
  );
});
