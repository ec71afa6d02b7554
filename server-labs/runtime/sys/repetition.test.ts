import assert from "node:assert/strict";
import { test } from "node:test";
import { callIndex, rowsByIndex, type TracedCall } from "../../protocol/calls.ts";
import { importance, longRun, Repetition } from "./repetition.ts";

const { none, notable, essential } = importance;
const EAGAIN = 11;
const EBADF = 9;

function program() {
  const repetition = new Repetition(rowsByIndex);
  let index = 0;
  const call = (name: TracedCall, fd: number, result: number, errno = 0) =>
    repetition.follow(callIndex(name), fd, 0, 0, result, errno, errno === EBADF, index++);
  return { repetition, call };
}

test("of equal calls the first matters, and the last when another outcome ends them", () => {
  const { repetition, call } = program();
  assert.equal(call("recv", 7, -1, EAGAIN), notable);
  for (let i = 1; i < 1000; i++) assert.equal(call("recv", 7, -1, EAGAIN), none);
  assert.equal(call("recv", 7, 78), notable);
  assert.equal(repetition.endOfRun, 999);
  assert.equal(call("recv", 7, -1, EAGAIN), notable, "the first of the next run");
  assert.equal(call("recv", 7, -1, EAGAIN), none);
});

test("each descriptor repeats by itself, and each direction", () => {
  const { call } = program();
  for (let i = 0; i < 100; i++)
    for (const fd of [7, 8, 9]) {
      assert.equal(call("recv", fd, 78), i === 0 ? notable : none);
      assert.equal(call("send", fd, 120), i === 0 ? notable : none);
    }
  assert.equal(call("recv", 8, 79), notable);
  assert.equal(call("recv", 9, 0), essential, "the end of a stream");
});

test("every accept and close matters, however many come, but not one that finds no client", () => {
  const { call } = program();
  for (let i = 0; i < 100; i++) {
    assert.equal(call("accept4", 3, 7), essential);
    assert.equal(call("recv", 7, 78), notable, "it is another connection");
    assert.equal(call("close", 7, 0), essential);
  }
  call("accept4", 3, -1, EAGAIN);
  assert.equal(call("accept4", 3, -1, EAGAIN), none);
});

test("an error matters, but not when it repeats", () => {
  const { call } = program();
  assert.equal(call("close", 99, -1, EBADF), essential);
  for (let i = 0; i < longRun; i++) assert.equal(call("close", 99, -1, EBADF), none);
});

test("a server that reads until nothing is left does not matter at each turn", () => {
  const { call } = program();
  const turns = Array.from({ length: 50 }, () => [call("recv", 7, 78), call("recv", 7, -1, EAGAIN)]).slice(3);
  assert.deepEqual([...new Set(turns.flat())], [none]);
});
