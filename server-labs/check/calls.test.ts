// Turns and rests, from calls as a polling and as an epoll server make them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallRecord, callRows, type TracedCall, type Value } from "../protocol.ts";
import { Calls } from "./calls.ts";

let n = 0;
const call = (name: TracedCall, args: Value[], returned = 0, rest: Partial<CallRecord> = {}): CallRecord => ({
  n: n++,
  call: name,
  fd: callRows[name].parameters[0]!.is === "fd" ? (args[0] as number) : null,
  args,
  at: n,
  took: 1,
  returned,
  errno: returned === -1 ? "EAGAIN" : null,
  peer: null,
  state: "ready",
  line: null,
  ...rest,
});
const recv = (fd: number, returned = -1) => call("recv", [fd, null, 1024, 0], returned);
const accept = (returned = -1) => call("accept4", [3, null, null, 0], returned);
const sleep = () => call("nanosleep", [0.005, null]);
const turns = (...calls: CallRecord[]) => new Calls(calls).turns.map(turn => turn.length);

test("a rest ends a turn", () => {
  assert.deepEqual(turns(accept(), recv(4), sleep(), accept(), recv(4), sleep()), [3, 3]);
});

test("a server that comes back to a client starts a turn", () => {
  assert.deepEqual(turns(accept(4), recv(4), accept(5), recv(4), recv(5), accept(), recv(4)), [3, 3, 1]);
});

test("to read one client until it would block is one look", () => {
  assert.deepEqual(turns(recv(4, 10), recv(4, 10), recv(4), recv(5), recv(4)), [4, 1]);
});

test("a server that accepts all clients and reads each at once makes one turn", () => {
  assert.deepEqual(turns(accept(4), recv(4), accept(5), recv(5), accept(6), recv(6), accept()), [7]);
});

test("a descriptor number that was closed and opened again is another client", () => {
  assert.deepEqual(turns(recv(4, 0), call("close", [4]), accept(4), recv(4)), [4]);
});

test("to wait and find something is no rest; to wait in vain is one, and to wait now", () => {
  const wait = (timeout: number, returned: number, took: number | null = 1) =>
    call("epoll_wait", [7, null, 1024, timeout], returned, { took });
  assert.equal(new Calls([wait(-1, 2), wait(0, 0), wait(100, 0), wait(-1, 0, null)]).rests.length, 2);
  const poll = (timeout: number, returned: number) =>
    call("poll", [{ polls: [], more: true }, 3, timeout], returned);
  assert.equal(new Calls([poll(0, 0), poll(10, 1), poll(10, 0)]).rests.length, 1);
});

test("calls on a descriptor are not those whose first argument is something else", () => {
  assert.deepEqual(
    new Calls([recv(5), sleep(), call("socket", [5]), call("close", [5])]).on(5).list.map(one => one.call),
    ["recv", "close"],
  );
});

test("what was read, and how much", () => {
  const calls = new Calls([recv(4, 100), recv(4), recv(5, 0), recv(6, 24)]);
  assert.equal(calls.bytesRead, 124);
  assert.equal(calls.reads.length, 3);
});

test("the calls about a connection are found by the port of its peer", () => {
  const [one, other] = ["127.0.0.1:51322", "[::1]:51323"];
  const calls = new Calls([
    call("accept4", [3, null, null, 0], 4, { peer: one }),
    call("recv", [5, null, 1024, 0], 10, { peer: other }),
    call("epoll_ctl", [9, 1, 4, 1], 0, { peer: one }),
    sleep(),
  ]);
  assert.deepEqual(
    calls.with(51322).list.map(one => one.call),
    ["accept4", "epoll_ctl"],
  );
  assert.equal(calls.with(51323).length, 1);
});
