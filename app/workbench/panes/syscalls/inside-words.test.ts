// What the page says of a call that has not returned.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord } from "../../../../server-labs/protocol.ts";
import { CallList } from "../../../labs/calls.ts";
import { insideWords } from "./inside-words.ts";

const call = (n: number, at: number, took: number | null): CallRecord => ({
  ...{ call: "epoll_wait", fd: 4, returned: 0, errno: null, peer: null, state: "waiting", line: 1 },
  ...{ args: [4], n, at, took },
});
const add = (calls: CallList, ...some: CallRecord[]) =>
  calls.add({ type: "syscalls", run: "r", seq: 0, at: 0, calls: some });

test("a call has slept as long as the lab server knows, however late the page is", () => {
  const calls = new CallList();
  const asleep = call(0, 1000, null);
  add(calls, asleep);
  calls.knowUntil(1003);
  assert.equal(insideWords(asleep, calls, true), "…asleep 3 ms");
  calls.knowUntil(3500);
  calls.knowUntil(3400);
  assert.equal(insideWords(asleep, calls, true), "…asleep 2.5 s");
  assert.equal(insideWords(asleep, calls, true, 5000), "…waits, in slow motion");
  assert.equal(insideWords(asleep, calls, false), "…never returned: the program had ended");
});

test("a call whose return was not read does not sleep for ever", () => {
  const calls = new CallList();
  const asleep = call(0, 1000, null);
  add(calls, asleep);
  assert.equal(calls.endUnseen(asleep), false);
  add(calls, call(1, 1100, 5));
  assert.equal(insideWords(asleep, calls, true), "…its end was not seen");
  assert.equal(insideWords(asleep, calls, false), "…its end was not seen");
  assert.equal(calls.endUnseen(call(1, 1100, 5)), false);
});

test("that it was not read shows, too, when the calls since are only counted", () => {
  const calls = new CallList();
  const asleep = call(0, 1000, null);
  add(calls, asleep);
  calls.add({ type: "syscalls-omitted", run: "r", seq: 0, at: 0, first: 1, count: 9, byName: { recv: 9 } });
  assert.equal(calls.endUnseen(asleep), true);
});
