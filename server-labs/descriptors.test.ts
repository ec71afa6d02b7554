import assert from "node:assert/strict";
import { test } from "node:test";
import { Descriptors } from "./descriptors.ts";
import { aRecord } from "./fixtures/records.ts";
import type { TracedCall } from "./trace-layout.ts";

const EAGAIN = 11;

/** struct sockaddr_in of 127.0.0.1. */
function peer(port: number): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(2, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  return address;
}

function program() {
  const descriptors = new Descriptors();
  const call = (name: TracedCall, args: number[], rest: Parameters<typeof aRecord>[2] = {}) =>
    descriptors.who(aRecord(name, args, rest));
  return { descriptors, call };
}

test("a connection is its peer, from accept4 to close, and the same number then is another one", () => {
  const { call } = program();
  call("listen", [3, 128]);
  const accepted = call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) });
  assert.deepEqual(accepted, { 3: "listener", 7: "127.0.0.1:51322" });
  assert.deepEqual(call("recv", [7, 0, 1024, 0], { result: -1, errno: EAGAIN }), { 7: "127.0.0.1:51322" });
  assert.deepEqual(call("close", [7]), { 7: "127.0.0.1:51322" });
  assert.equal(call("close", [7], { result: -1, errno: 9 }), undefined);
  call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51323) });
  assert.deepEqual(call("recv", [7, 0, 1024, 0]), { 7: "127.0.0.1:51323" });
});

test("an accept4 that sleeps gives nothing until it is done", () => {
  const { call } = program();
  call("accept4", [3, 0, 0, 0], { took: -1 });
  assert.equal(call("recv", [0, 0, 1024, 0]), undefined);
  call("accept4", [3, 0, 0, 0], { result: 5, address: peer(40000) });
  assert.deepEqual(call("send", [5, 0, 10, 0], { result: 10 }), { 5: "127.0.0.1:40000" });
});

test("epoll_wait tells who is ready, epoll_ctl whom it is about", () => {
  const { call } = program();
  call("listen", [3, 128]);
  call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) });
  assert.deepEqual(call("epoll_ctl", [4, 1, 7, 1]), { 4: "epoll", 7: "127.0.0.1:51322" });
  const ready = call("epoll_wait", [4, 0, 64, -1], {
    result: 2,
    epoll: [
      [3, 1],
      [7, 1],
    ],
  });
  assert.deepEqual(ready, { 3: "listener", 4: "epoll", 7: "127.0.0.1:51322" });
});

test("where calls were lost, nothing is told", () => {
  const { descriptors, call } = program();
  call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) });
  descriptors.forget();
  assert.equal(call("recv", [7, 0, 1024, 0]), undefined);
});
