// Visits: the state of each, what is kept of it, and what its end is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type EventOf, sentence } from "../../server-labs/protocol.ts";
import { VisitLog } from "./visits.ts";

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
  statement: { code: "client-silent" },
  ...more,
});

test("a visit begins, waits, and is done", () => {
  const visits = new VisitLog();
  const aim = { code: "visit-begins", kind: "get", line: "GET /", bytes: 37, pieces: 1 } as const;
  visits.add(step("begins", { statement: { ...aim, everyMs: 0, count: 1, port: 7890 }, command: "curl" }));
  const now = () => visits.list(true)[0]!;
  assert.deepEqual(
    [sentence(now().aim), now().command, now().open, sentence(now().state)],
    ["GET / → port 7890", "curl", true, "is under way"],
  );
  visits.add(step("waits", { statement: { code: "client-not-let-in", ms: 1000 } }));
  visits.add(step("got"));
  assert.deepEqual([now().state.code, now().what, now().steps.length], ["client-not-let-in", "got", 3]);
  visits.add(step("done", { statement: { code: "visit-left" } }));
  assert.deepEqual([now().state.code, now().open], ["visit-left", false]);
  assert.equal(visits.list(true), visits.list(true), "the same list while nothing changes");
});

test("bytes that come or go end a state that says what has come, or what is not sent yet", () => {
  const visits = new VisitLog();
  const now = () => visits.list(true)[0]!.state.code;
  visits.add(step("begins"));
  visits.add(
    step("waits", {
      statement: { code: "piece-not-read", piece: 1, pieces: 2, ms: 1000, held: "paused" },
    }),
  );
  assert.equal(now(), "piece-not-read");
  visits.add(step("sent"));
  assert.equal(now(), "visit-under-way");
  visits.add(step("waits", { statement: { code: "client-reads-slowly", bytes: 1024, everyMs: 200 } }));
  visits.add(step("got"));
  assert.equal(now(), "client-reads-slowly");
});

test("of a run that has ended no visit is under way", () => {
  const visits = new VisitLog();
  visits.add(step("begins"));
  assert.equal(visits.list(true)[0]!.open, true);
  assert.deepEqual(
    [visits.list(false)[0]!.open, visits.list(false)[0]!.state.code],
    [false, "visit-ended-with-run"],
  );
});

test("of a long visit the first steps and the newest are kept, of many visits the newest", () => {
  const visits = new VisitLog();
  visits.add(step("begins"));
  for (let i = 0; i < 1000; i++) visits.add(step("got", { bytes: i }));
  const [long] = visits.list(true);
  assert.equal(long!.steps.length, 400);
  assert.equal(long!.forgotten, 601);
  assert.deepEqual([long!.steps[0]!.what, long!.steps.at(-1)!.bytes], ["begins", 999]);
  for (let i = 0; i < 200; i++) visits.add(step("begins", { visit: `w${i}` }));
  const list = visits.list(true);
  assert.deepEqual([list.length, list[0]!.visit, list.at(-1)!.visit], [100, "w100", "w199"]);
});

test("a visit whose beginning is no longer kept is shown from where it is", () => {
  const visits = new VisitLog();
  visits.add(step("waits", { statement: { code: "crowd-idle", open: 3, closed: 0, waiting: 0 } }));
  const [visit] = visits.list(true);
  assert.deepEqual([visit!.state.code, visit!.aim.code, visit!.command], ["crowd-idle", "crowd-idle", ""]);
});
