import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord, KnownDescriptor } from "../../../../server-labs/protocol.ts";
import { compact, descriptorWord, type Piece } from "./compact.ts";
import { parseFilter, toggleWord } from "./filter.ts";

const client = "127.0.0.1:51322";
type Part = Partial<CallRecord> & Pick<CallRecord, "call" | "args">;

function call(part: Part): CallRecord {
  const common = { n: 0, at: 0, took: 1, fd: 7, returned: 0, errno: null, peer: null, line: 9 };
  return { ...common, state: "ready", ...part };
}

function read(made: CallRecord): string {
  const words = (pieces: Piece[]) => pieces.map(word).join("");
  const word = (piece: Piece) => {
    if (typeof piece === "string") return piece;
    if ("peer" in piece) return piece.peer;
    const known = piece.who ? descriptorWord(piece.who) : "";
    return `${piece.fd}${known && !known.startsWith(":") ? " " : ""}${known}`;
  };
  const { args, result, hint } = compact(made);
  return `${made.call}(${words(args)}) = ${words(result)}${hint}`;
}

const who: Record<number, KnownDescriptor> = {
  3: { is: "listener" },
  4: { is: "epoll" },
  5: { is: "socket" },
  7: { is: "connection", peer: client },
};
const address = { host: "127.0.0.1", port: 7890 };
const [IN, OUT, RDHUP, ET] = [1, 4, 0x2000, 0x80000000];
const tells: [string, Part][] = [
  [
    "accept4(3) = 7 from 127.0.0.1:51322",
    {
      call: "accept4",
      args: [3, { host: "127.0.0.1", port: 51322 }, null, 0o2000000],
      fd: 3,
      returned: 7,
      peer: client,
      who,
    },
  ],
  [
    "recv(7:51322, 1024) = -1 EAGAIN would block",
    { call: "recv", args: [7, null, 1024, 0], returned: -1, errno: "EAGAIN", who },
  ],
  [
    'recv(7:51322, 1024) = 6 "a, {b\\""',
    { call: "recv", args: [7, { bytes: 'a, {b"', length: 6 }, 1024, 0], returned: 6, who },
  ],
  [
    "recv(7:51322, 1024, MSG_DONTWAIT) = 0 end of stream",
    { call: "recv", args: [7, null, 1024, 0x40], returned: 0, who },
  ],
  [
    "send(7:51322, 65536) = 4096 of 65536",
    { call: "send", args: [7, { bytes: "HTTP", length: 65536 }, 65536, 0], returned: 4096, who },
  ],
  [
    'write(7:51322, 3) = 3 "客"',
    { call: "write", args: [7, { bytes: "\xe5\xae\xa2", length: 3 }, 3], returned: 3, who },
  ],
  [
    "epoll_wait(4) = 2 ready: 3 listener, 7:51322 IN|RDHUP",
    {
      call: "epoll_wait",
      args: [
        4,
        {
          events: [
            [3, IN],
            [7, IN | RDHUP],
          ],
          more: false,
        },
        64,
        -1,
      ],
      fd: 4,
      returned: 2,
      who,
    },
  ],
  [
    "epoll_wait(4) = 9 ready: 7:51322, …",
    { call: "epoll_wait", args: [4, { events: [[7, IN]], more: true }, 64, -1], fd: 4, returned: 9, who },
  ],
  [
    "epoll_wait(4) = 0 nothing ready",
    { call: "epoll_wait", args: [4, { events: [], more: false }, 64, 100], fd: 4, returned: 0, who },
  ],
  ["epoll_ctl(4, ADD, 7:51322, IN|ET) = 0", { call: "epoll_ctl", args: [4, 1, 7, IN + ET], fd: 4, who }],
  ["epoll_ctl(4, DEL, 7:51322) = 0", { call: "epoll_ctl", args: [4, 2, 7, null], fd: 4, who }],
  [
    "setsockopt(3 listener, SO_REUSEADDR, 1) = 0",
    { call: "setsockopt", args: [3, 1, 2, 1, null], fd: 3, who },
  ],
  [
    "setsockopt(7:51322, SO_RCVTIMEO, tv_sec=0, tv_usec=5) = 0",
    { call: "setsockopt", args: [7, 1, 20, { seconds: 0, microseconds: 5 }, null], who },
  ],
  ["bind(3 listener, 127.0.0.1:7890) = 0", { call: "bind", args: [3, address, null], fd: 3, who }],
  ["bind(5, 127.0.0.1:7890) = 0", { call: "bind", args: [5, address, null], fd: 5, who }],
  [
    "poll(3 listener, 7:51322 IN|OUT, 100) = 1 ready: 7:51322 OUT",
    {
      call: "poll",
      args: [
        {
          polls: [
            [3, IN, 0],
            [7, IN | OUT, OUT],
          ],
          more: false,
        },
        2,
        100,
      ],
      fd: null,
      returned: 1,
      who,
    },
  ],
  [
    "poll(3 listener, … 1,001 more, -1) = 2 ready: 3 listener, …",
    {
      call: "poll",
      args: [{ polls: [[3, IN, IN]], more: true }, 1002, -1],
      fd: null,
      returned: 2,
      who,
    },
  ],
  [
    "poll(3 listener, … 501 more, -1) = 1 ready",
    { call: "poll", args: [{ polls: [[3, IN, 0]], more: true }, 502, -1], fd: null, returned: 1, who },
  ],
  [
    "socket(AF_INET, SOCK_STREAM) = 3",
    { call: "socket", args: [2, 1 | 0o2000000, 0], fd: null, returned: 3, who: { 3: { is: "socket" } } },
  ],
  ["epoll_create1() = 4 epoll", { call: "epoll_create1", args: [0o2000000], fd: null, returned: 4, who }],
  ["nanosleep(0.5 s) = 0", { call: "nanosleep", args: [0.5, null], fd: null }],
  ["shutdown(7:51322, WR) = 0", { call: "shutdown", args: [7, 1], who }],
];
for (const [words, made] of tells) test(words, () => assert.equal(read(call(made)), words));

test("words of one kind widen, kinds narrow, and a minus takes away", () => {
  const recv = call({
    call: "recv",
    args: [7, null, 1024, 0],
    errno: "EAGAIN",
    state: "waiting",
    who: { 7: who[7]! },
  });
  const wait = call({
    call: "epoll_wait",
    args: [4, { events: [[7, IN]], more: false }, 64, -1],
    fd: 4,
    who: { 4: who[4]!, 7: who[7]! },
  });
  const asks = (text: string) => [recv, wait].filter(parseFilter(text) ?? (() => true)).map(one => one.call);
  assert.deepEqual(asks(""), ["recv", "epoll_wait"]);
  assert.deepEqual(asks("fd:7"), ["recv", "epoll_wait"]);
  assert.deepEqual(asks(":51322 recv"), ["recv"]);
  assert.deepEqual(asks("recv epoll"), ["recv", "epoll_wait"]);
  assert.deepEqual(asks("-recv"), ["epoll_wait"]);
  assert.deepEqual(asks("EAGAIN"), ["recv"]);
  assert.deepEqual(asks("waiting"), ["recv"]);
  assert.deepEqual(asks("fd:9"), []);
  assert.equal(toggleWord("fd:7 recv", "recv"), "fd:7");
});
