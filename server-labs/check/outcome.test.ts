// What a failure says of the place in the program: the line, and the file where it is not the one that starts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { aRecord } from "../fixtures/records.ts";
import { callSite, layout } from "../trace/layout.ts";
import { decodeCall } from "../trace.ts";
import { CheckFailure, type Outcome, outcomeOf, outcomeOfRival } from "./outcome.ts";

const files = ["server.ts", "lib/clients.ts"];

function callAt(line: number, file: number) {
  const record = aRecord("recv", [7, 0, 100, 0], {});
  record.writeInt32LE(callSite(line, file), layout.record.site);
  return decodeCall(record, 0, 0, undefined, files);
}

function placeOf(
  error: CheckFailure,
  lastLines: string[] = [],
  blockedCall: null | ReturnType<typeof callAt> = null,
) {
  const ended = lastLines.length > 0 ? { how: "exited with 1", lastLines } : null;
  const { failure } = outcomeOf(error, { evidence: [], ended, files, blockedCall });
  return [failure?.file, failure?.line];
}

test("the file and line of a call, of one that blocks, and of a stack trace", () => {
  const failed = new CheckFailure("No answer came.");
  assert.deepEqual(placeOf(new CheckFailure("Wrong.", { at: callAt(12, 0) })), [undefined, 12]);
  assert.deepEqual(placeOf(new CheckFailure("Wrong.", { at: callAt(12, 1) })), ["lib/clients.ts", 12]);
  assert.deepEqual(placeOf(failed, [], callAt(30, 1)), ["lib/clients.ts", 30]);
  const trace = ["Error: no", "    at f (file:///home/a/labs/x/lib/clients.ts:3:9)", "    at server.ts:7:1"];
  assert.deepEqual(placeOf(failed, trace), ["lib/clients.ts", 3]);
  assert.deepEqual(placeOf(failed, ["    at file:///x/node_modules/a/b.js:1:1", trace[2]!]), [undefined, 7]);
  assert.deepEqual(placeOf(failed, ["nothing"]), [undefined, undefined]);
});

test("a place that the program claims and that no list has is not known", () => {
  assert.deepEqual([callAt(12, 2).line, callAt(12, 2).file], [null, undefined]);
  assert.equal(callSite(2 ** 20, 0), 0);
  assert.equal(callSite(1, 2 ** 11), 0);
  assert.deepEqual([callAt(2 ** 20 - 1, 1).line, callAt(1, 1).line], [2 ** 20 - 1, 1]);
});

test("a rival is not judged by a rule of the lab's own, nor by a check that could not be made", () => {
  const known = { id: "a", title: "A", took: 1 };
  const failed = (rest: Partial<Outcome>): Outcome => ({
    ...known,
    state: "failed",
    failure: { summary: "It waited.", evidence: [], expected: "1", actual: "2" },
    ...rest,
  });
  const note = (rest: Partial<Outcome>) => outcomeOfRival(failed(rest)).note;
  assert.equal(note({ labRule: "It is ours." }), "It is ours. Measured: It waited (expected: 1; got: 2).");
  assert.equal(note({ start: true }), "The server did not start. It waited.");
  assert.equal(note({ broken: true }), "The check does not come to an end with this server.");
  const unjudged = outcomeOfRival(failed({ labRule: "It is ours." }));
  assert.deepEqual([unjudged.state, unjudged.failure], ["unjudged", undefined]);
  assert.deepEqual(outcomeOfRival(failed({})), failed({}));
  const passed: Outcome = { ...known, state: "passed" };
  assert.equal(outcomeOfRival(passed), passed);
});

test("a rule of the lab is said by a failure, or by its check; that a server has ended is against every rule", () => {
  const ruleOf = (error: CheckFailure, ended = false) =>
    outcomeOf(error, {
      evidence: [],
      ended: ended ? { how: "exited with 1", lastLines: [] } : null,
      files,
      blockedCall: null,
      labRule: "The check's.",
    }).labRule;
  assert.equal(ruleOf(new CheckFailure("No.", { labRule: "Its own." })), "Its own.");
  assert.equal(ruleOf(new CheckFailure("No.")), "The check's.");
  assert.equal(ruleOf(new CheckFailure("No.", { labRule: "Its own." }), true), undefined);
});
