// What curl prints: statements, and their sentences beside them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pace } from "./pace.ts";
import { paceSentence, withSentences } from "./with-sentences.ts";

const pace: Pace = {
  mode: "paused",
  delayMs: 200,
  breakpoints: [{ name: "recv" }],
  state: "stopped",
  stop: {
    where: "after",
    n: 3,
    call: { name: "recv", made: "recv(7, 1024)", gave: "78" },
    because: "breakpoint",
    breakpoint: 0,
  },
  instead: null,
  driver: null,
};
const paused = "paused after recv(7, 1024) = 78, at the breakpoint on recv";

test("a summary and its pace have their sentences as their last fields", () => {
  const summary = { run: "r1", statement: { code: "listening", ports: [7890], asked: 7890 }, pace };
  const shown = withSentences({ labs: [summary] }) as { labs: (typeof summary & { sentence: string })[] };
  const [first] = shown.labs;
  assert.deepEqual(first, { ...summary, pace: { ...pace, sentence: paused }, sentence: "listening on 7890" });
  assert.deepEqual([Object.keys(first!).at(-1), Object.keys(first!.pace).at(-1)], ["sentence", "sentence"]);
});

test("a statement under another name has its sentence inside", () => {
  const sample = { doing: { code: "asleep-in", call: { name: "epoll_wait", args: [4] } }, thin: null };
  assert.deepEqual(withSentences(sample), {
    doing: { ...sample.doing, sentence: "asleep in epoll_wait(4)" },
    thin: null,
  });
});

test("an exit status, and a code of another table, are no statements", () => {
  const other = { code: 0, errors: [{ code: "ENOENT" }], nothing: null };
  assert.deepEqual(withSentences(other), other);
});

test("a pace in words: how fast, where it waits, what it does instead, how it ended", () => {
  const going: Pace = { ...pace, mode: "full", state: "going", stop: null, breakpoints: [] };
  for (const [change, words] of [
    [{}, "runs at full speed"],
    [{ mode: "slow" }, "goes in slow motion: waits 200 ms before each call"],
    [
      { breakpoints: [{ errno: "EAGAIN", fd: 7 }] },
      "runs at full speed, to a breakpoint: any call of fd 7 that fails with EAGAIN",
    ],
    [
      { state: "stopping", instead: { code: "makes-no-call", calls: 0, busy: true } },
      "will pause at its next call; it has made no call yet: it is busy with its own code",
    ],
    [pace, paused],
    [
      { ...pace, stop: { ...pace.stop!, call: null, where: "before" }, breakpoints: [] },
      "paused before call 3",
    ],
    [{ ...pace, state: "ended" }, `ended while ${paused}`],
    [{ state: "ended" }, "ended before it came to a stop"],
  ] as [Partial<Pace>, string][])
    assert.equal(paceSentence({ ...going, ...change }), words);
});
