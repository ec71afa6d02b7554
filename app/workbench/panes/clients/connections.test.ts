// Which calls were about which client: those that name its peer, whatever number its descriptor has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallRecord, notation, type TracedCall, type Value } from "../../../../server-labs/protocol.ts";
import { CallList } from "../../../labs/calls.ts";
import { ClientConnections } from "./connections.ts";

let n = 0;
const call = (name: TracedCall, args: Value[], more: Partial<CallRecord> = {}): CallRecord => ({
  n: n++,
  at: n,
  took: 1,
  call: name,
  fd: Number(args[0]),
  args,
  returned: 0,
  errno: null,
  peer: null,
  state: "ready",
  line: null,
  ...more,
});
const add = (calls: CallList, ...some: CallRecord[]) =>
  calls.add({ type: "syscalls", run: "r", seq: 0, at: 0, calls: some });
const texts = (connections: ClientConnections, calls: CallList, port: number) =>
  connections.of(calls, port).calls.map(notation);
const peerAt = (port: number) => ({ peer: `127.0.0.1:${port}` });
const accept4 = (port: number, more: Partial<CallRecord> = {}) =>
  call("accept4", [3, { host: "127.0.0.1", port }, null, 0], { returned: 7, ...peerAt(port), ...more });
const recv = (fd: number, size: number, more: Partial<CallRecord> = {}) =>
  call("recv", [fd, null, size, 0], more);

test("a call is about the client that its peer names, whatever descriptor that has", () => {
  const [calls, connections] = [new CallList(), new ClientConnections()];
  const [one, other] = [peerAt(51001), peerAt(51002)];
  add(calls, recv(7, 10), accept4(51001), call("epoll_ctl", [4, 1, 7, 1], one));
  connections.read(calls);
  add(calls, recv(7, 20, one), recv(8, 20), call("close", [7], one), recv(7, 30));
  add(calls, accept4(51002), call("send", [7, null, 5, 0], other));
  connections.read(calls);
  assert.deepEqual(texts(connections, calls, 51001), [
    "accept4(3, {127.0.0.1:51001}, 0) = 7",
    "epoll_ctl(4, EPOLL_CTL_ADD, 7, EPOLLIN) = 0",
    "recv(7, 20) = 0",
    "close(7) = 0",
  ]);
  assert.deepEqual(texts(connections, calls, 51002), [
    "accept4(3, {127.0.0.1:51002}, 0) = 7",
    "send(7, 5) = 0",
  ]);
  assert.deepEqual(texts(connections, calls, 51003), []);
});

test("a port that is accepted again is another client", () => {
  const [calls, connections] = [new CallList(), new ClientConnections()];
  add(calls, accept4(51001), recv(7, 10, peerAt(51001)), accept4(51001), recv(7, 20, peerAt(51001)));
  connections.read(calls);
  assert.deepEqual(texts(connections, calls, 51001), [
    "accept4(3, {127.0.0.1:51001}, 0) = 7",
    "recv(7, 20) = 0",
  ]);
});

test("calls that sleep: the peer is known when accept4 has returned, a recv is shown where it is", () => {
  const [calls, connections] = [new CallList(), new ClientConnections()];
  const asleep = accept4(51001, { took: null, returned: 0, peer: null });
  add(calls, asleep);
  connections.read(calls);
  assert.deepEqual(texts(connections, calls, 51001), []);
  add(calls, { ...asleep, took: 5, ...peerAt(51001), returned: 7 });
  const reads = recv(7, 10, { took: null, ...peerAt(51001) });
  add(calls, reads);
  connections.read(calls);
  assert.equal(connections.of(calls, 51001).calls.at(-1)!.took, null);
  add(calls, { ...reads, took: 9 });
  connections.read(calls);
  const { calls: of } = connections.of(calls, 51001);
  assert.deepEqual([of.length, of.at(-1)!.took], [2, 9]);
});

test("what the page has forgotten is counted", () => {
  const [calls, connections] = [new CallList(10), new ClientConnections()];
  add(calls, accept4(51001));
  for (let i = 0; i < 400; i++) {
    add(calls, recv(7, 1, peerAt(51001)));
    connections.read(calls);
  }
  const { calls: of, more } = connections.of(calls, 51001);
  assert.equal(of.length + more, 401);
});

test("what the server does for a client that was silent for minutes is shown, whatever was repeated meanwhile", () => {
  const [calls, connections] = [new CallList(1000), new ClientConnections()];
  const peer = peerAt(51001);
  const waits = { ...peer, errno: "EAGAIN", returned: -1, state: "waiting" } as const;
  add(calls, accept4(51001), recv(7, 1024, { ...waits, matters: true }));
  for (let i = 0; i < 20_000; i++) {
    add(calls, recv(7, 1024, waits), recv(8, 1024, { ...waits, ...peerAt(51002) }));
    connections.read(calls);
  }
  add(calls, recv(7, 1024, { ...peer, returned: 78, matters: true }), call("close", [7], peer));
  for (let i = 0; i < 5000; i++) add(calls, recv(8, 1024, { ...waits, ...peerAt(51002) }));
  connections.read(calls);
  const { calls: of, more } = connections.of(calls, 51001);
  const done = of.filter(({ errno }) => errno === null).map(notation);
  assert.deepEqual(done, ["accept4(3, {127.0.0.1:51001}, 0) = 7", "recv(7, 1024) = 78", "close(7) = 0"]);
  assert.equal(of.length + more, 20_004);
});

test("a visit has the calls on its own connection, and not those of a later client that got its port", () => {
  const [calls, connections] = [new CallList(), new ClientConnections()];
  const peer = peerAt(51001);
  add(calls, accept4(51001, { at: 90, took: 20_000 }), recv(7, 10, { ...peer, at: 111 }));
  add(calls, accept4(51001, { at: 500 }), recv(7, 20, { ...peer, at: 501 }));
  connections.read(calls);
  const sizes = (since: number | null) =>
    connections
      .since(since)
      .of(calls, 51001)
      .calls.filter(({ call }) => call === "recv")
      .map(({ args }) => args[2]);
  assert.deepEqual([sizes(100), sizes(499), sizes(null), sizes(600)], [[10], [20], [20], []]);
});
