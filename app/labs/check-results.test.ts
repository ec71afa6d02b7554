// What the page shows of each check, from the run that is under way, earlier runs, and what the browser kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckState, EventOf } from "../../server-labs/protocol.ts";
import { checkResults, type LastResults, sameTexts, summaryOf, withResultsOf } from "./check-results.ts";
import type { RunView } from "./run-log.ts";

const event = (id: string, state: CheckState): EventOf<"check"> => ({
  type: "check",
  run: "r1",
  seq: 0,
  at: 0,
  id,
  title: id,
  state,
});
const runOf = (etag: string | null, live: boolean, ...checks: EventOf<"check">[]) =>
  ({ run: "r1", kind: "check", live, etag, modules: {}, checks }) as unknown as RunView;
const text = (file?: string) => (file === undefined ? '"now"' : undefined);
const ids = ["binds", "reads", "writes"];
const states = (results: ReturnType<typeof checkResults>) => [...results.values()].map(({ state }) => state);

test("a run that makes one check leaves the results of the others", () => {
  const before = withResultsOf({}, runOf('"old"', false, event("binds", "passed"), event("reads", "failed")));
  const last = withResultsOf(before, runOf('"now"', false, event("reads", "passed")));
  const results = checkResults(ids, { run: null, last, kept: {} }, text);
  assert.deepEqual(states(results), ["passed", "passed", "not run"]);
  assert.equal(results.get("binds")!.old, true);
  assert.equal(results.get("reads")!.old, false);
  assert.equal(summaryOf(results, false), "2 of 3 pass; 1 not run");
});

test("a run that ended before it came to a check does not change that check's result", () => {
  const last: LastResults = withResultsOf({}, runOf('"now"', false, event("reads", "passed")));
  const broken = (live: boolean) => runOf('"now"', live, event("binds", "passed"), event("reads", "running"));
  const shown = (live: boolean) => states(checkResults(ids, { run: broken(live), last, kept: {} }, text));
  assert.deepEqual(shown(true), ["passed", "running", "not run"]);
  assert.deepEqual(shown(false), ["passed", "passed", "not run"]);
});

test("what the browser kept is shown without evidence until a run says more", () => {
  const kept = {
    binds: { state: "failed" as const, etag: '"old"' },
    reads: { state: "passed" as const, etag: null },
  };
  const results = checkResults(ids, { run: null, last: {}, kept }, text);
  assert.deepEqual(results.get("binds"), { state: "failed", event: null, etag: '"old"', old: true });
  assert.deepEqual(results.get("reads"), { state: "passed", event: null, etag: null, old: false });
});

test("a run without news leaves the same object", () => {
  const run = runOf('"now"', false, event("binds", "passed"));
  const last = withResultsOf({}, run);
  assert.equal(withResultsOf(last, run), last);
});

test("a result is old when any of the program's files has changed", () => {
  const run = { ...runOf('"now"', false, event("binds", "passed")), modules: { "greet.ts": '"a"' } };
  const last = withResultsOf({}, run);
  const kept = { binds: { state: "passed" as const, etag: '"now"', modules: { "greet.ts": '"a"' } } };
  const isOld = (greet: string | undefined, sources: Partial<Parameters<typeof checkResults>[1]>) => {
    const etag = (file?: string) => (file === undefined ? '"now"' : greet);
    return checkResults(["binds"], { run: null, last: {}, kept: {}, ...sources }, etag).get("binds")!.old;
  };
  for (const sources of [{ run }, { last }, { kept }]) {
    assert.equal(isOld('"a"', sources), false);
    assert.equal(isOld('"b"', sources), true);
    assert.equal(isOld(undefined, sources), false, "its text is not read yet");
  }
  assert.equal(sameTexts(last.binds!, kept.binds), true);
  assert.equal(sameTexts(last.binds!, { etag: '"now"' }), false);
  assert.equal(sameTexts({ etag: '"now"' }, kept.binds), false);
});
