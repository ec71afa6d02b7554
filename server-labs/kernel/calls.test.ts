import assert from "node:assert/strict";
import { test } from "node:test";
import { aRecord } from "../fixtures/records.ts";
import { callRows, sentence, tracedCalls } from "../protocol.ts";
import { KernelCalls } from "./calls.ts";
import { doingOf } from "./doing.ts";

const doing = (...facts: Parameters<typeof doingOf>) => sentence(doingOf(...facts));
const EAGAIN = 11;
const EBADF = 9;

test("calls are counted by what came of them; one that sleeps counts once, as waiting until it is done", () => {
  const calls = new KernelCalls();
  const see = (...record: Parameters<typeof aRecord>) => calls.see(aRecord(...record), false);
  see("recv", [7, 0, 1024], { result: 78 });
  see("recv", [7, 0, 1024], { result: -1, errno: EAGAIN });
  see("epoll_wait", [4, 0, 64, 0], { result: 0 });
  see("close", [99], { result: -1, errno: EBADF });
  see("epoll_wait", [4, 0, 64, -1], { took: -1 });
  assert.deepEqual(calls.counts, { ready: 1, waiting: 3, failed: 1 });
  assert.equal(doing("S", calls.inside, null), "asleep in epoll_wait(4)");
  assert.equal(doing("T", calls.inside, null), "stopped by a signal, inside epoll_wait(4)");
  calls.see(aRecord("epoll_wait", [4, 0, 64, -1], { result: 1 }), true);
  assert.deepEqual(calls.counts, { ready: 2, waiting: 2, failed: 1 });
  assert.equal(calls.inside, null);
  assert.equal(doing("R", null, null), "running");
  assert.equal(doing("S", null, null), "asleep, in no call that is traced");
  assert.equal(doing("S", null, null, true), "asleep for a moment, between calls");
  const call = { name: "recv", made: "recv(7, 1024)", gave: "" };
  const paused = { code: "paused", where: "before", n: 3, call, breakpoint: null } as const;
  assert.equal(doing("S", null, paused), "paused before recv(7, 1024)");
});

test("a call that moved bytes may be counted by what came of it alone: the counts are as after the whole record", () => {
  const [whole, brief] = [new KernelCalls(), new KernelCalls()];
  for (const calls of [whole, brief]) calls.see(aRecord("epoll_wait", [4, 0, 64, -1], { took: -1 }), false);
  for (const name of tracedCalls.filter(name => callRows[name].moves)) {
    for (const [result, errno] of [
      [78, 0],
      [0, 0],
      [-1, EAGAIN],
      [-1, EBADF],
    ] as const) {
      whole.see(aRecord(name, [7, 0, 1024], { result, errno }), false);
      brief.moved(result, errno);
      assert.deepEqual({ ...brief }, { ...whole });
    }
  }
  assert.equal(brief.inside, null);
});

test("garbage in a trace is no more than a wrong count", () => {
  const calls = new KernelCalls();
  for (const byte of [0, 0x7f, 0xff]) calls.see(Buffer.alloc(128, byte), false);
  const { ready, waiting, failed } = calls.counts;
  assert.equal(ready + waiting + failed, 3);
});
