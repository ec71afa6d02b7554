// The table of a scoreboard: a row for each check below its heading, a cell for each server, and nothing left out.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckState, ScoredServer } from "./events.ts";
import { type Scores, scoreTable, totalWords, withScore } from "./scoreboard.ts";

const servers: ScoredServer[] = [
  { id: "own", name: "server.ts" },
  { id: "nginx", name: "nginx", missing: { program: "nginx", get: "apt-get install nginx" } },
  { id: "other", name: "another" },
];
const checks = [
  { id: "a", title: "is a", group: "bytes" },
  { id: "b", title: "is b", group: "bytes" },
  { id: "c", title: "is c", group: "time" },
];
const failure = { summary: "It waited.", evidence: ["1 ms"], expected: "1", actual: "x".repeat(200) };

function scoresOf(...events: [string | undefined, string, CheckState][]): Scores {
  let scores = withScore(null, { type: "scoreboard", servers })!;
  for (const [server, id, state] of events)
    scores = withScore(scores, {
      type: "check",
      id,
      state,
      ...(server === undefined ? {} : { server }),
      ...(state === "failed" ? { failure } : {}),
      ...(state === "unjudged" ? { note: "It is a rule of this lab." } : {}),
    })!;
  return scores;
}

test("a check that is no part of a scoreboard begins none; a new scoreboard begins with nothing", () => {
  assert.equal(withScore(null, { type: "check", id: "a", state: "passed" }), null);
  const scores = scoresOf([undefined, "a", "passed"]);
  assert.deepEqual(withScore(scores, { type: "scoreboard", servers })!.results, {});
});

test("each check has its row, and each server its cell; the newest word on a check counts", () => {
  const scores = scoresOf(
    [undefined, "a", "running"],
    [undefined, "a", "passed"],
    [undefined, "b", "failed"],
    ["other", "a", "unjudged"],
  );
  const table = scoreTable(checks, scores, true);
  assert.deepEqual(
    table.groups.map(({ title, rows }) => [
      title,
      ...rows.map(({ check, cells }) => [check.id, ...cells.map(({ state }) => state)]),
    ]),
    [
      ["bytes", ["a", "passed", "missing", "unjudged"], ["b", "failed", "missing", "waiting"]],
      ["time", ["c", "waiting", "missing", "waiting"]],
    ],
  );
  assert.deepEqual(table.totals, [
    { passed: 1, failed: 1, unjudged: 0, open: 1 },
    null,
    { passed: 0, failed: 0, unjudged: 1, open: 2 },
  ]);
  assert.equal(totalWords(table.totals[0]!), "1 of 3 checks passed, 1 failed, 1 not made");
});

test("what was under way when the run ended was not made", () => {
  const table = scoreTable(checks, scoresOf([undefined, "a", "running"]), false);
  const states = table.groups.flatMap(({ rows }) => rows.map(({ cells }) => cells[0]!.state));
  assert.deepEqual(states, ["not made", "not made", "not made"]);
});

test("a failure is kept as one sentence of bounded length, without its evidence", () => {
  const scores = scoresOf([undefined, "a", "failed"], ["other", "a", "unjudged"]);
  assert.equal(scores.results.own!.a!.why, `It waited (expected: 1; got: ${"x".repeat(99)}…).`);
  assert.equal(scores.results.other!.a!.why, "It is a rule of this lab.");
});

test("checks without a heading are one group without a title", () => {
  const plain = checks.map(({ id, title }) => ({ id, title }));
  const { groups } = scoreTable(plain, scoresOf(), true);
  assert.deepEqual(
    groups.map(({ title, rows }) => [title, rows.length]),
    [[null, 3]],
  );
});
