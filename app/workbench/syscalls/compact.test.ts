import assert from "node:assert/strict";
import { test } from "node:test";
import type { Syscall } from "../../../server-labs/protocol.ts";
import { compact, isPeer, type Piece, shortName } from "./compact.ts";
import { parseFilter, toggleWord } from "./filter.ts";

const client = "127.0.0.1:51322";
type Part = Partial<Syscall> & { name: string; args: string };

function call({ name, args, ...rest }: Part): Syscall {
  const result = rest.result ?? String(rest.returned ?? 0);
  const common = { n: 0, at: 0, took: 1, fd: 7, returned: 0, errno: null, line: 9 };
  return { ...common, state: "ready", name, args, result, ...rest };
}

function read(made: Syscall): string {
  const words = (pieces: Piece[]) => pieces.map(word).join("");
  const word = (piece: Piece) => {
    if (typeof piece === "string") return piece;
    if ("peer" in piece) return piece.peer;
    return `${piece.fd}${piece.who ? `${isPeer(piece.who) ? "" : " "}${shortName(piece.who)}` : ""}`;
  };
  const { args, result, hint } = compact(made);
  return `${made.name}(${words(args)}) = ${words(result)}${hint}`;
}

const who = { 3: "listener", 4: "epoll", 7: client };
const tells: [string, Part][] = [
  [
    "accept4(3) = 7 from 127.0.0.1:51322",
    { name: "accept4", args: `3, {${client}}, SOCK_CLOEXEC`, fd: 3, returned: 7, who },
  ],
  [
    "recv(7:51322, 1024) = -1 EAGAIN would block",
    { name: "recv", args: "7, 1024", returned: -1, errno: "EAGAIN", result: "-1 EAGAIN (would block)", who },
  ],
  ['recv(7:51322, 1024) = 6 "a, {b\\""', { name: "recv", args: '7, "a, {b\\"", 1024', returned: 6, who }],
  ["recv(7:51322, 1024) = 0 end of stream", { name: "recv", args: '7, "", 1024', returned: 0, who }],
  ["send(7:51322, 65536) = 4096 of 65536", { name: "send", args: '7, "HTTP…", 65536', returned: 4096, who }],
  [
    "epoll_wait(4) = 2 ready: 3 listener, 7:51322 IN|RDHUP",
    {
      name: "epoll_wait",
      args: "4, [{3, EPOLLIN}, {7, EPOLLIN|EPOLLRDHUP}], 64, -1",
      fd: 4,
      returned: 2,
      who,
    },
  ],
  ["epoll_wait(4) = 0 nobody ready", { name: "epoll_wait", args: "4, [], 64, 100", fd: 4, returned: 0, who }],
  [
    "epoll_ctl(4, ADD, 7:51322, IN|ET) = 0",
    { name: "epoll_ctl", args: "4, EPOLL_CTL_ADD, 7, EPOLLIN|EPOLLET", fd: 4, who },
  ],
  [
    "setsockopt(3 listener, SO_REUSEADDR, 1) = 0",
    { name: "setsockopt", args: "3, SOL_SOCKET, SO_REUSEADDR, 1", fd: 3, who },
  ],
  ["bind(3 listener, 127.0.0.1:7890) = 0", { name: "bind", args: "3, {127.0.0.1:7890}", fd: 3, who }],
  [
    "poll(3 listener, 7:51322, 100) = 1 ready: 7:51322",
    { name: "poll", args: "[{3, POLLIN}, {7, POLLIN → POLLIN}], 2, 100", fd: null, returned: 1, who },
  ],
  [
    "socket(AF_INET, SOCK_STREAM) = 3",
    { name: "socket", args: "AF_INET, SOCK_STREAM|SOCK_CLOEXEC", fd: null, returned: 3 },
  ],
];
for (const [words, made] of tells) test(words, () => assert.equal(read(call(made)), words));

test("words of one kind widen, kinds narrow, and a minus takes away", () => {
  const recv = call({ name: "recv", args: "7, 1024", errno: "EAGAIN", state: "waiting", who });
  const wait = call({
    name: "epoll_wait",
    args: "4, [{7, EPOLLIN}], 64, -1",
    fd: 4,
    who: { 4: "epoll", 7: client },
  });
  const asks = (text: string) =>
    [recv, wait].filter(parseFilter(text) ?? (() => true)).map(({ name }) => name);
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
