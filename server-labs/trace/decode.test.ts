import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { aRecord } from "../fixtures/records.ts";
import { argsNotation, notation, type Value } from "../protocol.ts";
import { addressOf, callOf, decodeCall } from "./decode.ts";

const { EAGAIN, ECONNRESET, EDOM, EINPROGRESS } = constants.errno;
/** The call as a page shows it: name(args) = result, and its state. */
function shown(record: Buffer): [string, string] {
  const call = decodeCall(record, 0, 0);
  return [notation(call), call.state];
}

/** 127.0.0.1:51322 as a struct sockaddr_in. */
const peer = Buffer.from([2, 0, 0xc8, 0x7a, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
const hello = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1:7890\r\nAccept: "*/*"\r\n\r\n');

test("the calls of a small server read as strace writes them", () => {
  const cloexec = 0o2000000;
  const cases: [Buffer, string, string][] = [
    [
      aRecord("socket", [2, 1 | cloexec, 0], { result: 3 }),
      "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC) = 3",
      "ready",
    ],
    [aRecord("setsockopt", [3, 1, 2, 1], {}), "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, 1) = 0", "ready"],
    [
      aRecord("setsockopt", [7, 1, 20, 0], { bytes: Buffer.from(new BigInt64Array([0n, 500_000n]).buffer) }),
      "setsockopt(7, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=500000}) = 0",
      "ready",
    ],
    [
      aRecord("setsockopt", [7, 1, 13, 0], { bytes: Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]) }),
      "setsockopt(7, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}) = 0",
      "ready",
    ],
    [
      aRecord("getsockopt", [7, 1, 4, 0], { bytes: Buffer.from([111, 0, 0, 0]) }),
      "getsockopt(7, SOL_SOCKET, SO_ERROR, ECONNREFUSED) = 0",
      "ready",
    ],
    [
      aRecord("getsockopt", [7, 1, 4, 0], { bytes: Buffer.from([0, 0, 0, 0]) }),
      "getsockopt(7, SOL_SOCKET, SO_ERROR, 0) = 0",
      "ready",
    ],
    [
      aRecord("getsockopt", [7, 6, 4, 0], { bytes: Buffer.from([111, 0, 0, 0]) }),
      "getsockopt(7, SOL_TCP, 4, 111) = 0",
      "ready",
    ],
    [aRecord("bind", [3, 0, 16], { address: peer }), "bind(3, {127.0.0.1:51322}) = 0", "ready"],
    [aRecord("listen", [3, 128], {}), "listen(3, 128) = 0", "ready"],
    [aRecord("fcntl", [3, 4, 0o4002], {}), "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0", "ready"],
    [aRecord("fcntl", [3, 3, 0], { result: 2 }), "fcntl(3, F_GETFL) = 2", "ready"],
    [
      aRecord("accept4", [3, 0, 0, cloexec], { result: 7, address: peer }),
      "accept4(3, {127.0.0.1:51322}, SOCK_CLOEXEC) = 7",
      "ready",
    ],
    [
      aRecord("recv", [7, 0, 1024, 0], { result: hello.length, bytes: hello }),
      'recv(7, "GET / HTTP/1.1\\r\\nHost: 127.0.0.1:…", 1024) = 55',
      "ready",
    ],
    [
      aRecord("recv", [7, 0, 1024, 0], { result: -1, errno: EAGAIN }),
      "recv(7, 1024) = -1 EAGAIN (would block)",
      "waiting",
    ],
    [aRecord("recv", [7, 0, 1024, 0x40], { result: 0 }), "recv(7, 1024, MSG_DONTWAIT) = 0", "ready"],
    [aRecord("send", [7, 0, 3, 0], { result: 3, bytes: Buffer.from("客") }), 'send(7, "客", 3) = 3', "ready"],
    [aRecord("nanosleep", [0, 500_000_000], { took: -1 }), "nanosleep(0.5 s)", "waiting"],
    [aRecord("close", [7], {}), "close(7) = 0", "ready"],
    [aRecord("shutdown", [7, 1], {}), "shutdown(7, SHUT_WR) = 0", "ready"],
  ];
  for (const [record, text, state] of cases) assert.deepEqual(shown(record), [text, state]);
});

test("epoll and poll say what is awaited and what came", () => {
  const add = aRecord("epoll_ctl", [4, 1, 7, (0x80000001 | 0) >>> 0], {});
  assert.equal(shown(add)[0], "epoll_ctl(4, EPOLL_CTL_ADD, 7, EPOLLIN|EPOLLET) = 0");
  const remove = aRecord("epoll_ctl", [4, 2, 7, 0], {});
  assert.equal(shown(remove)[0], "epoll_ctl(4, EPOLL_CTL_DEL, 7) = 0");
  const ready = aRecord("epoll_wait", [4, 0, 64, -1], {
    result: 2,
    epoll: [
      [7, 1],
      [9, 0x11],
    ],
  });
  assert.deepEqual(shown(ready), [
    "epoll_wait(4, [{7, EPOLLIN}, {9, EPOLLIN|EPOLLHUP}], 64, -1) = 2",
    "ready",
  ]);
  const asleep = aRecord("epoll_wait", [4, 0, 64, -1], { took: -1 });
  assert.deepEqual(shown(asleep), ["epoll_wait(4, 64, -1)", "waiting"]);
  const timedOut = aRecord("epoll_wait", [4, 0, 64, 100], { result: 0 });
  assert.deepEqual(shown(timedOut), ["epoll_wait(4, [], 64, 100) = 0", "waiting"]);
  const polled = aRecord("poll", [0, 2, -1], {
    result: 1,
    poll: [
      [3, 1, 0],
      [7, 5, 4],
    ],
  });
  assert.equal(shown(polled)[0], "poll([{3, POLLIN}, {7, POLLIN|POLLOUT → POLLOUT}], 2, -1) = 1");
});

test("pairs of descriptors and sets of signals read as strace writes them", () => {
  const bytes = Buffer.from(new Int32Array([7, 8]).buffer);
  const texts: [Buffer, string][] = [
    [aRecord("pipe2", [0, 0o2004000], { bytes }), "pipe2([7, 8], O_NONBLOCK|O_CLOEXEC) = 0"],
    [
      aRecord("pipe2", [0, 0], { result: -1, errno: constants.errno.EMFILE }),
      "pipe2(0) = -1 EMFILE (too many open files)",
    ],
    [aRecord("socketpair", [1, 1, 0], { bytes }), "socketpair(AF_UNIX, SOCK_STREAM, [7, 8]) = 0"],
    [aRecord("sigprocmask", [0, (1 << 14) | 2], {}), "sigprocmask(SIG_BLOCK, [INT, TERM]) = 0"],
    [aRecord("sigprocmask", [1, 1 << 31], {}), "sigprocmask(SIG_UNBLOCK, [32]) = 0"],
    [aRecord("signalfd", [-1, 1 << 14, 0o4000], { result: 9 }), "signalfd(-1, [TERM], SFD_NONBLOCK) = 9"],
  ];
  for (const [record, text] of texts) assert.equal(shown(record)[0], text);
});

test("errors have their names, and only what is really wrong is failed", () => {
  const reset = aRecord("recv", [7, 0, 10, 0], { result: -1, errno: ECONNRESET });
  assert.deepEqual(shown(reset), ["recv(7, 10) = -1 ECONNRESET (connection reset by peer)", "failed"]);
  const connecting = aRecord("connect", [7, 0, 16], { result: -1, errno: EINPROGRESS, address: peer });
  assert.deepEqual(shown(connecting), [
    "connect(7, {127.0.0.1:51322}) = -1 EINPROGRESS (in progress)",
    "waiting",
  ]);
  const million = Buffer.from(new BigInt64Array([0n, 1_000_000n]).buffer);
  const tooMuch = aRecord("setsockopt", [7, 1, 20, 0], { result: -1, errno: EDOM, bytes: million });
  assert.deepEqual(shown(tooMuch), [
    "setsockopt(7, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=1000000}) = -1 EDOM (argument out of domain)",
    "failed",
  ]);
  const unknown = aRecord("close", [7], { result: -1, errno: 9999 });
  assert.equal(shown(unknown)[1], "failed");
});

test("IPv6 addresses are short, and an address can be asked for", () => {
  const loopback = Buffer.alloc(28);
  loopback.writeUInt16LE(10, 0);
  loopback.writeUInt16BE(7890, 2);
  loopback[23] = 1;
  const bound = aRecord("bind", [3, 0, 28], { address: loopback });
  assert.equal(shown(bound)[0], "bind(3, {[::1]:7890}) = 0");
  assert.deepEqual(addressOf(bound), { host: "::1", port: 7890 });
  assert.equal(callOf(bound), 2);
});

test("escape sequences and control characters in data are written by their numbers", () => {
  const bytes = Buffer.from('\x1b]52;c;aGk=\x07"\\\0');
  const call = decodeCall(aRecord("send", [7, 0, bytes.length, 0], { result: 1, bytes }), 0, 0);
  assert.equal(
    argsNotation(call),
    '7, "\\x1b]52;c;aGk=\\x07\\"\\\\\\x00", 14'.replace("14", String(bytes.length)),
  );
});

test("bytes that are not text are written by their numbers, characters whole, and not where the cut halved them", () => {
  const args = (bytes: Buffer) =>
    argsNotation(decodeCall(aRecord("send", [7, 0, bytes.length, 0], { result: 1, bytes }), 0, 0));
  assert.equal(args(Buffer.from([0x2f, 0xff, 0xe8, 0x8c])), '7, "/\\xff\\xe8\\x8c", 4');
  assert.equal(args(Buffer.from("茶🍵")), '7, "茶🍵", 7');
  assert.equal(args(Buffer.from("\u2028")), '7, "\\xe2\\x80\\xa8", 3');
  assert.equal(args(Buffer.from(`${"a".repeat(31)}茶`)), `7, "${"a".repeat(31)}…", 34`);
});

test("a record of garbage makes a short text, and never throws", () => {
  let seed = 7;
  for (let i = 0; i < 20_000; i++) {
    const record = Buffer.alloc(128);
    for (let at = 0; at < 128; at++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      record[at] = seed >> 16;
    }
    record.writeUInt16LE(i % 30, 24);
    record.writeUInt16LE(i % 6, 26);
    const call = decodeCall(record, i, 0);
    assert.ok(Number.isFinite(call.at) && (call.took === null || call.took >= 0));
    assert.ok(notation(call).length < 2000 && JSON.stringify(call).length < 2000);
    assert.deepEqual(JSON.parse(JSON.stringify(call)), call, "JSON keeps every value");
  }
});

test("values are typed, one for each parameter in C order", () => {
  const values = (record: Buffer): Value[] => decodeCall(record, 0, 0).args;
  const data = Buffer.from([0, 0x7f, 0x80, 0xff]);
  assert.deepEqual(values(aRecord("recv", [7, 0, 1024, 0x40], { result: 4, bytes: data })), [
    7,
    { bytes: "\x00\x7f\x80\xff", length: 4 },
    1024,
    0x40,
  ]);
  assert.deepEqual(values(aRecord("recv", [7, 0, 1024, 0], { took: -1 })), [7, null, 1024, 0]);
  assert.deepEqual(values(aRecord("accept4", [3, 0, 0, 0], { result: 7, address: peer })), [
    3,
    { host: "127.0.0.1", port: 51322 },
    null,
    0,
  ]);
  assert.deepEqual(values(aRecord("epoll_ctl", [4, 1, 7, 0x80000001], {})), [4, 1, 7, 0x80000001]);
  assert.deepEqual(values(aRecord("epoll_ctl", [4, 2, 7, 0], {})), [4, 2, 7, null]);
  assert.deepEqual(values(aRecord("epoll_wait", [4, 0, 64, -1], { result: 2, epoll: [[7, 1]] })), [
    4,
    { events: [[7, 1]], more: true },
    64,
    -1,
  ]);
  assert.deepEqual(values(aRecord("poll", [0, 1, 100], { result: 1, poll: [[3, 1, 1]] })), [
    { polls: [[3, 1, 1]], more: false },
    1,
    100,
  ]);
  assert.deepEqual(values(aRecord("nanosleep", [1, 500_000_000], {})), [1.5, null]);
  assert.deepEqual(values(aRecord("setrlimit", [7, 64, 128], {})), [7, { soft: 64, hard: 128 }]);
  const info = aRecord("getsockopt", [7, 6, 11], { bytes: Buffer.alloc(72) });
  assert.deepEqual(values(info), [7, 6, 11, { struct: 72 }, null]);
  assert.equal(notation(decodeCall(info, 0, 0)), "getsockopt(7, SOL_TCP, TCP_INFO, {…}) = 0");
});
