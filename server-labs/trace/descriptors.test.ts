import assert from "node:assert/strict";
import { test } from "node:test";
import { aRecord } from "../fixtures/records.ts";
import { callRows, type KnownDescriptor, type TracedCall, tracedCalls } from "../protocol.ts";
import { DescriptorTable, type Listener } from "./descriptors.ts";

const [EAGAIN, EINVAL, EINPROGRESS] = [11, 22, 115];

/** struct sockaddr_in of 127.0.0.1. */
function peer(port: number): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(2, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  return address;
}

function program() {
  const opened: number[] = [];
  const listeners: Listener[] = [];
  const table = new DescriptorTable({
    opened: fd => void opened.push(fd),
    listening: listener => void listeners.push(listener),
  });
  const follow = (name: TracedCall, args: number[], rest: Parameters<typeof aRecord>[2] = {}) =>
    table.follow(aRecord(name, args, rest));
  const call = (...record: Parameters<typeof follow>) => follow(...record).who;
  const peerOf = (...record: Parameters<typeof follow>) => follow(...record).peer;
  return { table, opened, listeners, call, peerOf };
}

const listener: KnownDescriptor = { is: "listener" };
const epoll: KnownDescriptor = { is: "epoll" };
const connection = (port: number): KnownDescriptor => ({ is: "connection", peer: `127.0.0.1:${port}` });

test("a connection is its peer, from accept4 to close, and the same number then is another one", () => {
  const { call } = program();
  call("listen", [3, 128]);
  const accepted = call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) });
  assert.deepEqual(accepted, { 3: listener, 7: connection(51322) });
  assert.deepEqual(call("recv", [7, 0, 1024, 0], { result: -1, errno: EAGAIN }), { 7: connection(51322) });
  assert.deepEqual(call("close", [7]), { 7: connection(51322) });
  assert.equal(call("close", [7], { result: -1, errno: 9 }), undefined);
  call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51323) });
  assert.deepEqual(call("recv", [7, 0, 1024, 0]), { 7: connection(51323) });
});

test("the peer of a call is the other end of the connection that it is about", () => {
  const { peerOf, call } = program();
  call("listen", [3, 128]);
  assert.equal(peerOf("accept4", [3, 0, 0, 0], { took: -1 }), null);
  assert.equal(peerOf("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) }), "127.0.0.1:51322");
  assert.equal(peerOf("epoll_ctl", [4, 1, 7, 1]), "127.0.0.1:51322");
  assert.equal(peerOf("epoll_wait", [4, 0, 64, -1], { result: 1, epoll: [[7, 1]] }), null);
  assert.equal(peerOf("recv", [7, 0, 1024, 0]), "127.0.0.1:51322");
  assert.equal(peerOf("close", [7]), "127.0.0.1:51322");
  assert.equal(peerOf("recv", [7, 0, 1024, 0]), null);
});

test("a call that makes two descriptors makes both known; a signal descriptor is one", () => {
  const { call, opened } = program();
  const bytes = Buffer.from(new Int32Array([7, 8]).buffer);
  assert.deepEqual(call("pipe2", [0, 0], { bytes }), { 7: { is: "pipe" }, 8: { is: "pipe" } });
  assert.deepEqual(call("write", [8, 0, 1, 0], { result: 1 }), { 8: { is: "pipe" } });
  assert.deepEqual(call("signalfd", [-1, 1, 0], { result: 9 }), { 9: { is: "signalfd" } });
  assert.deepEqual(opened, [7, 8, 9]);
});

test("a copy is what its original is, and stays that when the original is closed", () => {
  const { call } = program();
  call("accept4", [3, 0, 0, 0], { result: 5, address: peer(40000) });
  assert.deepEqual(call("dup", [5], { result: 6 }), { 5: connection(40000), 6: connection(40000) });
  call("close", [5]);
  assert.deepEqual(call("recv", [6, 0, 10, 0], { result: 1 }), { 6: connection(40000) });
});

test("an accept4 that sleeps gives nothing until it is done", () => {
  const { call } = program();
  assert.equal(call("accept4", [3, 0, 0, 0], { took: -1 }), undefined);
  assert.equal(call("recv", [0, 0, 1024, 0]), undefined);
  call("accept4", [3, 0, 0, 0], { result: 5, address: peer(40000) });
  assert.deepEqual(call("send", [5, 0, 10, 0], { result: 10 }), { 5: connection(40000) });
});

test("epoll_wait names the ready descriptors, epoll_ctl its target", () => {
  const { call } = program();
  call("listen", [3, 128]);
  call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) });
  assert.deepEqual(call("epoll_ctl", [4, 1, 7, 1]), { 4: epoll, 7: connection(51322) });
  const ready = call("epoll_wait", [4, 0, 64, -1], {
    result: 2,
    epoll: [
      [3, 1],
      [7, 1],
    ],
  });
  assert.deepEqual(ready, { 3: listener, 4: epoll, 7: connection(51322) });
});

test("a call that failed shows nothing of its descriptor; one that would block does", () => {
  const { call } = program();
  call("socket", [2, 1, 0], { result: 5 });
  assert.deepEqual(call("accept4", [5, 0, 0, 0], { result: -1, errno: EINVAL }), { 5: { is: "socket" } });
  assert.deepEqual(call("connect", [5, 0, 16], { result: -1, errno: EINPROGRESS, address: peer(80) }), {
    5: connection(80),
  });
});

test("where calls were lost, no name is given until a call shows it again", () => {
  const { table, call, peerOf } = program();
  call("listen", [3, 128]);
  call("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) });
  table.lose();
  assert.equal(call("recv", [7, 0, 1024, 0]), undefined);
  assert.equal(peerOf("recv", [7, 0, 1024, 0]), null);
  assert.deepEqual(call("accept4", [3, 0, 0, 0], { result: -1, errno: EAGAIN }), { 3: listener });
  assert.equal(table.backlogOf(3), null, "another listener may have the number by now");
  assert.equal(table.peerOf(7), null);
  call("listen", [3, 5]);
  assert.equal(table.backlogOf(3), 5);
});

test("a backlog and a peer belong to a descriptor until it is closed", () => {
  const { table, call, opened } = program();
  call("listen", [3, 128]);
  call("accept4", [3], { result: 7, address: peer(51322) });
  assert.equal(table.backlogOf(3), 128);
  assert.equal(table.peerOf(7), "127.0.0.1:51322");
  assert.deepEqual(opened, [7]);
  assert.deepEqual([...table.accepted()], [[3, 1]]);
  table.flagged.clear();
  call("close", [7]);
  assert.equal(table.peerOf(7), null);
  call("fcntl", [3, 4, 2048]);
  assert.deepEqual([...table.flagged], [7, 3], "their flags may have changed");
});

test("a call about a descriptor is known, also when epoll_ctl names it third", () => {
  const { table, call } = program();
  call("recv", [7, 0, 1], { result: 1 });
  const then = table.seen;
  call("recv", [8, 0, 1], { result: 1 });
  assert.equal(table.untouched(7, then), true);
  assert.equal(table.untouched(8, then), false);
  call("epoll_ctl", [4, 3, 7]);
  assert.equal(table.untouched(7, then), false);
  assert.equal(table.untouched(1_000_000, then), false, "too many to remember");
});

test("a call that moves bytes may be followed by its descriptor alone: the table is as after the whole record", () => {
  const moving = tracedCalls.filter(name => callRows[name].moves);
  assert.deepEqual(moving, ["recv", "send", "read", "write"]);
  const [whole, brief] = [program(), program()];
  for (const { call } of [whole, brief]) call("accept4", [3], { result: 7, address: peer(51322) });
  for (const name of moving) {
    for (const [result, errno] of [
      [78, 0],
      [0, 0],
      [-1, EAGAIN],
      [-1, 9],
    ] as const) {
      whole.table.see(aRecord(name, [7, 0, 1024], { result, errno }));
      brief.table.moved(7);
      const state = ({ table }: typeof whole) => [
        { ...table },
        table.untouched(7, table.seen - 1),
        table.peerOf(7),
        [...table.accepted()],
      ];
      assert.deepEqual(state(brief), state(whole));
    }
  }
  assert.deepEqual(brief.call("recv", [7, 0, 1]), whole.call("recv", [7, 0, 1]));
});

test("a listener is reported with its address: from bind, from getsockname where the kernel chose, or any", () => {
  const { call, listeners } = program();
  call("bind", [3, 0, 16], { address: peer(7890) });
  assert.deepEqual(listeners, [], "bound is not listening");
  call("listen", [3, 5], { took: -1 });
  assert.deepEqual(listeners, [], "it has not returned");
  call("listen", [3, 5]);
  call("bind", [4, 0, 16], { address: peer(0) });
  call("listen", [4, 5]);
  call("getsockname", [4], { address: peer(40001) });
  call("getsockname", [4], { address: peer(40001) });
  call("listen", [5, 5]);
  call("listen", [6, 5], { result: -1, errno: 98 });
  call("close", [3]);
  call("listen", [3, 5]);
  assert.deepEqual(listeners, [
    { fd: 3, host: "127.0.0.1", port: 7890 },
    { fd: 4, host: "127.0.0.1", port: 0 },
    { fd: 4, host: "127.0.0.1", port: 40001 },
    { fd: 5, host: "0.0.0.0", port: 0 },
    { fd: 3, host: "0.0.0.0", port: 0 },
  ]);
});

test("the peer alone is the same peer", () => {
  const { table, call } = program();
  call("listen", [3, 128]);
  const accepted = aRecord("accept4", [3, 0, 0, 0], { result: 7, address: peer(51322) });
  const known = { peer: "127.0.0.1:51322" };
  assert.deepEqual(table.followPeer(accepted), known);
  assert.deepEqual(table.followPeer(aRecord("close", [7], {})), known);
  assert.deepEqual(table.followPeer(aRecord("recv", [7, 0, 1], {})), { peer: null });
});

test("garbage in a record changes nothing but what is known of numbers", () => {
  const { table } = program();
  for (let byte = 0; byte < 256; byte++) table.follow(Buffer.alloc(128, byte));
  assert.equal(table.seen, 256);
});
