import assert from "node:assert/strict";
import { test } from "node:test";
import { aRecord } from "../fixtures/records.ts";
import { callsThatMove } from "../trace-layout.ts";
import { KernelCalls } from "./calls.ts";
import { doingInWords } from "./doing.ts";

const EAGAIN = 11;
const EBADF = 9;
const peer = Buffer.from([2, 0, 0xc8, 0x7a, 127, 0, 0, 1]);

test("calls are counted by what came of them; one that sleeps counts once, as waiting until it is done", () => {
  const calls = new KernelCalls(() => {});
  const see = (...record: Parameters<typeof aRecord>) => calls.see(aRecord(...record), false);
  see("recv", [7, 0, 1024], { result: 78 });
  see("recv", [7, 0, 1024], { result: -1, errno: EAGAIN });
  see("epoll_wait", [4, 0, 64, 0], { result: 0 });
  see("close", [99], { result: -1, errno: EBADF });
  see("epoll_wait", [4, 0, 64, -1], { took: -1 });
  assert.deepEqual(calls.counts, { ready: 1, waiting: 3, failed: 1 });
  assert.equal(doingInWords("S", calls.inside, null), "asleep in epoll_wait(4)");
  assert.equal(doingInWords("T", calls.inside, null), "stopped by a signal, inside epoll_wait(4)");
  calls.see(aRecord("epoll_wait", [4, 0, 64, -1], { result: 1 }), true);
  assert.deepEqual(calls.counts, { ready: 2, waiting: 2, failed: 1 });
  assert.equal(calls.inside, null);
  assert.equal(doingInWords("R", null, null), "running");
  assert.equal(doingInWords("S", null, "paused before recv(7, 1024)"), "paused before recv(7, 1024)");
});

test("a call that only moves octets may be told by what came of it: it leaves behind what the whole record does", () => {
  const [whole, brief] = [new KernelCalls(() => {}), new KernelCalls(() => {})];
  for (const calls of [whole, brief]) calls.see(aRecord("epoll_wait", [4, 0, 64, -1], { took: -1 }), false);
  for (const name of callsThatMove) {
    for (const [result, errno] of [
      [78, 0],
      [0, 0],
      [-1, EAGAIN],
      [-1, EBADF],
    ] as const) {
      whole.see(aRecord(name, [7, 0, 1024], { result, errno }), false);
      brief.moved(7, result, errno);
      assert.deepEqual(
        { ...brief, touched: brief.untouched(7, brief.seen - 1) },
        { ...whole, touched: whole.untouched(7, whole.seen - 1) },
      );
    }
  }
  assert.equal(brief.inside, null);
});

test("a backlog and a peer belong to a descriptor until it is closed", () => {
  const made: number[] = [];
  const calls = new KernelCalls(fd => made.push(fd));
  calls.see(aRecord("listen", [3, 128], {}), false);
  calls.see(aRecord("accept4", [3], { result: 7, address: peer }), false);
  assert.equal(calls.backlogs.get(3), 128);
  assert.equal(calls.peers.get(7), "127.0.0.1:51322");
  assert.deepEqual(made, [7]);
  calls.see(aRecord("close", [7], {}), false);
  assert.equal(calls.peers.has(7), false);
});

test("a call about a descriptor is known, also when epoll_ctl names it third", () => {
  const calls = new KernelCalls(() => {});
  calls.see(aRecord("recv", [7, 0, 1], { result: 1 }), false);
  const then = calls.seen;
  calls.see(aRecord("recv", [8, 0, 1], { result: 1 }), false);
  assert.equal(calls.untouched(7, then), true);
  assert.equal(calls.untouched(8, then), false);
  calls.see(aRecord("epoll_ctl", [4, 3, 7], {}), false);
  assert.equal(calls.untouched(7, then), false);
  assert.equal(calls.untouched(1_000_000, then), false, "too many to remember");
});

test("whatever a program scribbles into its trace is no more than a wrong count", () => {
  const calls = new KernelCalls(() => {});
  for (const byte of [0, 0x7f, 0xff]) calls.see(Buffer.alloc(128, byte), false);
  const { ready, waiting, failed } = calls.counts;
  assert.equal(ready + waiting + failed, 3);
});
