// Places in an output: which of a stack trace's names lead to a line of the student's file.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newestPlace, placesIn } from "./places.ts";

const lab = "non-blocking/polling-model";
const named = (text: string) => placesIn(text, lab, ["server.ts", "greet.ts"]);
const shown = (text: string) =>
  named(text).map(({ file, line, column, from, to }) => [`${file} ${line} ${column}`, text.slice(from, to)]);

test("a stack trace's places have a file, a line and a column", () => {
  const url = `file:///home/me/socket-workbook/${lab}/server.ts`;
  assert.deepEqual(shown(`    at handle (${url}:21:48)`), [["server.ts 21 48", `${url}:21:48`]]);
  assert.deepEqual(shown(`    at ${url}:3:1`), [["server.ts 3 1", `${url}:3:1`]]);
  assert.deepEqual(shown(`${url}:12`), [["server.ts 12 1", `${url}:12`]]);
  assert.deepEqual(shown("see greet.ts:4 and ./server.ts:5:6."), [
    ["greet.ts 4 1", "greet.ts:4"],
    ["server.ts 5 6", "./server.ts:5:6"],
  ]);
});

test("a file of the same name in another folder is no place of the lab", () => {
  for (const text of [
    "/tmp/server.ts:3",
    "my-server.ts:3",
    "server.ts:x",
    "server.ts",
    "file:///epoll/server.ts:1:1",
  ])
    assert.deepEqual(named(text), [], text);
});

test("a line of a million letters is looked at once", () => {
  const text = `${"x".repeat(500_000)}server.ts:3 ${"server.ts:".repeat(50_000)}`;
  assert.deepEqual(named(text), []);
});

test("the newest trace is known by its first line", () => {
  const trace = (line: number) => `Error: no\n    at a (server.ts:${line}:5)\n    at b (server.ts:99:1)\n`;
  assert.deepEqual(newestPlace(`${trace(3)}GET /\n${trace(7)}done\n`, lab, ["server.ts"]), {
    file: "server.ts",
    line: 7,
    column: 5,
  });
  assert.equal(newestPlace("GET /\n", lab, ["server.ts"]), null);
});

test("words that only look like places, below a trace, do not hide it", () => {
  const trace = "Error: no\n    at a (server.ts:3:5)\n    at b (greet.ts:99:1)\n";
  const below = "GET /server.ts:1\n/tmp/greet.ts:1:1\nserver.ts: no number\n".repeat(10);
  const place = { file: "server.ts", line: 3, column: 5 };
  assert.deepEqual(newestPlace(trace + below, lab, ["server.ts", "greet.ts", "absent.ts"]), place);
  assert.deepEqual(newestPlace(`${trace}${"x".repeat(100_000)}\n`, lab, ["server.ts", "greet.ts"]), place);
});

test("a text that is nothing but places costs little for each", () => {
  const text = `${"(server.ts:1".repeat(5_000)}\n`;
  assert.equal(named(text).length, 5_000);
  assert.deepEqual(newestPlace(text, lab, ["server.ts"]), { file: "server.ts", line: 1, column: 1 });
});
