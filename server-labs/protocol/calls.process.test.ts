// The table of calls against what it speaks of: the runtime's functions, its own signatures, Node's errors.
import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { getSystemErrorMap } from "node:util";
import * as syscalls from "../runtime/sys/syscalls.ts";
import {
  aboutArgument,
  callIndex,
  callRows,
  errnoName,
  errnoNumbers,
  errnoWords,
  isTracedCall,
  onDescriptor,
  timeoutMs,
  tracedCalls,
} from "./calls.ts";

const calls = tracedCalls.slice(1);

test("each row has a function in the runtime, and each function a row", () => {
  const functions = Object.keys(syscalls).filter(name => name !== "errno");
  // epoll_create1 → epollCreate1
  const named = calls.map(call => call.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  assert.deepEqual(functions.toSorted(), named.toSorted());
});

test("a row has as many parameters as its signature, and is named as it", () => {
  for (const call of calls) {
    const { signature, parameters, man, summary } = callRows[call];
    const [, name, list = ""] = /^\w+ (\w+)\((.*)\)$/.exec(signature) ?? [];
    assert.equal(name, call);
    assert.equal(list.split(", ").length, parameters.length, signature);
    assert.match(man, /^\w+\(2\)$/);
    assert.ok(summary);
  }
});

test("a row of a call that may sleep says to readers when it waits", () => {
  for (const call of calls) {
    const { sleeps, waits } = callRows[call];
    if (sleeps !== undefined) assert.match(waits ?? "", /^[A-Z].*\.$/, call);
  }
});

test("a number in a record stays that of its call: new rows go to the end", () => {
  assert.deepEqual(
    (["?", "socket", "recv", "poll", "epoll_wait", "prctl"] as const).map(callIndex),
    [0, 1, 6, 17, 20, 25],
  );
  assert.ok(isTracedCall("recv") && !isTracedCall("?") && !isTracedCall("constructor"));
});

test("what a call is about follows from its parameters", () => {
  const names = (test: (index: number) => boolean) => calls.filter(call => test(callIndex(call)));
  assert.deepEqual(
    names(index => !onDescriptor[index]),
    [
      "socket",
      "poll",
      "epoll_create1",
      "eventfd",
      "nanosleep",
      "getrlimit",
      "setrlimit",
      "prctl",
      "pipe2",
      "socketpair",
      "sigprocmask",
      "signalfd",
    ],
  );
  assert.deepEqual(
    names(index => aboutArgument[index]! > 0),
    ["epoll_ctl"],
  );
  assert.deepEqual(
    calls.filter(call => callRows[call].opens),
    ["socket", "accept4", "epoll_create1", "eventfd", "signalfd", "dup"],
  );
  assert.deepEqual(
    calls.filter(call => callRows[call].opensTwo),
    ["pipe2", "socketpair"],
  );
});

test("a timeout is in milliseconds, for ever, or absent", () => {
  assert.equal(timeoutMs({ call: "nanosleep", args: [0.005, null] }), 5);
  assert.equal(timeoutMs({ call: "poll", args: [{ polls: [], more: false }, 0, 100] }), 100);
  assert.equal(timeoutMs({ call: "epoll_wait", args: [4, null, 64, -1] }), Number.POSITIVE_INFINITY);
  assert.equal(timeoutMs({ call: "recv", args: [7, null, 1024, 0] }), null);
});

test("errors have the numbers and names of this Linux, and the words of this Node", () => {
  const words = getSystemErrorMap();
  const own = ["EAGAIN", "EWOULDBLOCK", "EINPROGRESS", "EDOM"];
  assert.deepEqual({ ...errnoNumbers }, { ...constants.errno });
  for (const [name, number] of Object.entries(constants.errno)) {
    const usual = { EWOULDBLOCK: "EAGAIN", ENOTSUP: "EOPNOTSUPP" }[name] ?? name;
    assert.equal(errnoName(number), usual);
    const known = words.get(-number)?.[1];
    if (known !== undefined && !own.includes(name)) assert.equal(errnoWords(name), known);
    assert.notEqual(errnoWords(name), "no error that Linux has");
  }
  assert.equal(errnoWords("EAGAIN"), "would block");
  assert.equal(errnoName(9999), "errno 9999");
  assert.equal(errnoWords("errno 9999"), "no error that Linux has");
});
