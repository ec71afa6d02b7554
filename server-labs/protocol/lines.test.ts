// Events as lines of text: one for each thing that happened, calls in strace's notation.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord } from "./calls.ts";
import type { Event } from "./events.ts";
import { linesOf, omittedCalls } from "./lines.ts";
import { longTime } from "./notation.ts";

const common = { run: "r", seq: 0, at: 1234 };
const recv: CallRecord = {
  n: 0,
  at: 1234,
  took: 3,
  call: "recv",
  fd: 7,
  args: [7, null, 1024, 0],
  returned: -1,
  errno: "EAGAIN",
  peer: null,
  state: "waiting",
  line: 9,
};

test("a call is a line, with what the kernel answered and the line of the student's file", () => {
  const wait: CallRecord = {
    ...recv,
    call: "epoll_wait",
    fd: 4,
    args: [4, null, 64, -1],
    took: null,
    line: null,
  };
  const slept: CallRecord = { ...wait, took: 2_312_000, returned: 1, errno: null };
  assert.deepEqual(linesOf({ ...common, type: "syscalls", calls: [recv, wait, slept] }), [
    "   1.234  recv(7, 1024) = -1 EAGAIN (would block)  :9",
    "   1.234  epoll_wait(4, 64, -1) …",
    "   1.234  epoll_wait(4, 64, -1) = 1  <2.31 s>",
  ]);
});

test("the time of a call stands beside it from 10 ms on", () => {
  const times = [9_000, 10_400, 340_000, 2_000_000, 125_400_000].map(took => longTime({ took }));
  assert.deepEqual(times, ["", "10 ms", "340 ms", "2.00 s", "125 s"]);
});

test("calls that were left out: by name, lost, and how many of them follow", () => {
  const event = { ...common, type: "syscalls-omitted", first: 10 } as const;
  const byName = { send: 1, recv: 4000 };
  assert.deepEqual(
    [
      { ...event, count: 4001, byName },
      { ...event, count: 4003, byName, lost: 2, through: 4013 },
      { ...event, count: 2, byName: {}, lost: 2, through: 13 },
    ].map(omittedCalls),
    [
      "… 4,001 calls not shown one by one: recv ×4,000, send ×1 …",
      "… 4,003 calls not shown one by one: recv ×4,000, send ×1, and 2 lost in the flood; the one that differs follows …",
      "… 2 calls not shown one by one: 2 lost in the flood; the 2 that differ follow …",
    ],
  );
});

test("output is the lines that were printed; what was left out is counted", () => {
  const output: Event = {
    ...common,
    type: "output",
    stream: "stdout",
    offset: 0,
    bytes: 8,
    text: "one\ntwo\n",
  };
  assert.deepEqual(linesOf(output), ["   1.234  stdout: one", "   1.234  stdout: two"]);
  assert.deepEqual(
    linesOf({ ...common, type: "syscalls-omitted", first: 0, count: 5, byName: { send: 1, recv: 4 } }),
    ["   1.234  … 5 calls not shown one by one: recv ×4, send ×1 …"],
  );
});

test("a client's words in the output command no terminal", () => {
  const text = "GET \x1b[2J\x1b]0;\u009b8m\u202e\tTea\n";
  const output: Event = { ...common, type: "output", stream: "stdout", offset: 0, bytes: 8, text };
  assert.deepEqual(linesOf(output), ["   1.234  stdout: GET ␛[2J␛]0;\\u009b8m\\u202e\tTea"]);
});

test("a step of a visit is its sentence", () => {
  const step = { visit: "v1", kind: "get", who: "client", what: "reset", when: 1 } as const;
  const statement = { code: "server-reset", errno: "ECONNRESET" } as const;
  assert.deepEqual(linesOf({ ...common, type: "visit", ...step, statement }), [
    "   1.234  visit v1, client: the server has cut the connection off (RST: ECONNRESET)",
  ]);
});
