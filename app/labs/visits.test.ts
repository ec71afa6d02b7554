// Steps folded into visits: how each stands, what is kept of it, and what its end is.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventOf } from "../../server-labs/protocol.ts";
import { Visits } from "./visits.ts";

type Step = EventOf<"visit">;
let seq = 0;
const step = (what: Step["what"], more: Partial<Step> = {}): Step => ({
  type: "visit",
  run: "r1",
  seq: seq++,
  at: seq,
  when: seq,
  visit: "v1",
  kind: "get",
  who: "client",
  what,
  sentence: what,
  ...more,
});

test("a visit begins, stands, and is done", () => {
  const visits = new Visits();
  visits.take(step("begins", { sentence: "GET /", command: "curl" }));
  const now = () => visits.list(true)[0]!;
  assert.deepEqual(
    [now().title, now().command, now().open, now().sentence],
    ["GET /", "curl", true, "is under way"],
  );
  visits.take(step("waits", { sentence: "no answer" }));
  visits.take(step("got"));
  assert.deepEqual([now().sentence, now().what, now().steps.length], ["no answer", "got", 3]);
  visits.take(step("done", { sentence: "answered 200" }));
  assert.deepEqual([now().sentence, now().open], ["answered 200", false]);
  assert.equal(visits.list(true), visits.list(true), "the same list while nothing changes");
});

test("of a run that has ended nobody is under way", () => {
  const visits = new Visits();
  visits.take(step("begins"));
  assert.equal(visits.list(true)[0]!.open, true);
  assert.deepEqual(
    [visits.list(false)[0]!.open, visits.list(false)[0]!.sentence],
    [false, "ended with the run"],
  );
});

test("of a long visit the beginning and the newest are kept, of many visits the newest", () => {
  const visits = new Visits();
  visits.take(step("begins"));
  for (let i = 0; i < 1000; i++) visits.take(step("got", { bytes: i }));
  const [long] = visits.list(true);
  assert.equal(long!.steps.length, 400);
  assert.equal(long!.forgotten, 601);
  assert.deepEqual([long!.steps[0]!.what, long!.steps.at(-1)!.bytes], ["begins", 999]);
  for (let i = 0; i < 200; i++) visits.take(step("begins", { visit: `w${i}` }));
  const list = visits.list(true);
  assert.deepEqual([list.length, list[0]!.visit, list.at(-1)!.visit], [100, "w100", "w199"]);
});

test("a visit whose beginning is no longer kept is shown from where it is", () => {
  const visits = new Visits();
  visits.take(step("waits", { sentence: "1 of 50 was answered" }));
  const [visit] = visits.list(true);
  assert.deepEqual([visit!.sentence, visit!.command], ["1 of 50 was answered", ""]);
});
