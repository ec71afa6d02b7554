// Which calls were about which client: from its accept4 to its close, whatever number the descriptor has before and after.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Syscall } from "../../../server-labs/protocol.ts";
import { Calls } from "../../labs/calls.ts";
import { Connections } from "./connections.ts";

let n = 0;
const call = (name: string, args: string, more: Partial<Syscall> = {}): Syscall => ({
  n: n++,
  at: n,
  took: 1,
  name,
  fd: Number.parseInt(args, 10),
  args,
  result: "0",
  returned: 0,
  errno: null,
  state: "ready",
  line: null,
  ...more,
});
const add = (calls: Calls, ...some: Syscall[]) =>
  calls.add({ type: "syscalls", run: "r", seq: 0, at: 0, calls: some });
const names = (connections: Connections, calls: Calls, port: number) =>
  connections.of(calls, port).calls.map(one => `${one.name}(${one.args})`);

test("a descriptor belongs to a client until it is closed", () => {
  const [calls, connections] = [new Calls(), new Connections()];
  const came = (port: number) => call("accept4", `3, {127.0.0.1:${port}}`, { returned: 7 });
  add(calls, call("recv", "7, 10"), came(51001), call("epoll_ctl", "4, EPOLL_CTL_ADD, 7, EPOLLIN"));
  connections.read(calls);
  add(calls, call("recv", "7, 20"), call("recv", "8, 20"), call("close", "7"), call("recv", "7, 30"));
  add(calls, came(51002), call("send", "7, 5"));
  connections.read(calls);
  assert.deepEqual(names(connections, calls, 51001), [
    "accept4(3, {127.0.0.1:51001})",
    "epoll_ctl(4, EPOLL_CTL_ADD, 7, EPOLLIN)",
    "recv(7, 20)",
    "close(7)",
  ]);
  assert.deepEqual(names(connections, calls, 51002), ["accept4(3, {127.0.0.1:51002})", "send(7, 5)"]);
  assert.deepEqual(names(connections, calls, 51003), []);
});

test("calls that sleep: the peer is known when accept4 has returned, a recv is shown as it stands", () => {
  const [calls, connections] = [new Calls(), new Connections()];
  const asleep = call("accept4", "3", { took: null });
  add(calls, asleep);
  connections.read(calls);
  assert.deepEqual(names(connections, calls, 51001), []);
  add(calls, { ...asleep, took: 5, args: "3, {127.0.0.1:51001}", returned: 7 });
  const reads = call("recv", "7, 10", { took: null });
  add(calls, reads);
  connections.read(calls);
  assert.equal(connections.of(calls, 51001).calls.at(-1)!.took, null);
  add(calls, { ...reads, took: 9 });
  connections.read(calls);
  const { calls: of } = connections.of(calls, 51001);
  assert.deepEqual([of.length, of.at(-1)!.took], [2, 9]);
});

test("what the page has forgotten is counted", () => {
  const [calls, connections] = [new Calls(10), new Connections()];
  add(calls, call("accept4", "3, {127.0.0.1:51001}", { returned: 7 }));
  for (let i = 0; i < 400; i++) {
    add(calls, call("recv", "7, 1"));
    connections.read(calls);
  }
  const { calls: of, more } = connections.of(calls, 51001);
  assert.equal(of.length + more, 401);
});
