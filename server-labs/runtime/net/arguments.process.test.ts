// Wrong arguments: each gets a sentence, and no system call is made.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connected } from "../../fixtures/connected.ts";
import {
  AF_INET6,
  EPOLLIN,
  Epoll,
  getLimit,
  POLLIN,
  poll,
  Socket,
  SyscallError,
  setLimit,
  sleep,
} from "../net.ts";

const any = (value: unknown) => value as never;
const { client: peer, server: socket } = connected();
const closed = new Socket();
const closedFd = closed.fd;
closed.close();
const epoll = new Epoll();

const wrong: [call: () => unknown, sentence: RegExp][] = [
  [() => new Socket(7), /new Socket takes AF_INET or AF_INET6 as its domain, not 7/],
  [() => new Socket(any("tcp")), /AF_INET or AF_INET6 as its domain, not "tcp"/],
  [() => new Socket(2, Number.NaN), /a type from 1 to \d+, not NaN/],
  [() => socket.bind(any("7890")), /bind takes an address such as \{ port: 7890 \}, not "7890"/],
  [() => socket.bind(any(undefined)), /bind takes an address .* not undefined/],
  [
    () => socket.bind({ port: any("7890") }),
    /a port that is a number, not "7890"\. .*Number\(process\.argv\[2\]\)/,
  ],
  [() => socket.bind({ port: Number.NaN }), /a port from 0 to 65535 .* not NaN/],
  [() => socket.bind({ port: 70000 }), /a port from 0 to 65535 .* not 70000/],
  [() => socket.bind({ port: -1 }), /not -1/],
  [() => socket.bind({ port: 80.5 }), /not 80\.5/],
  [() => socket.bind(any({})), /a port that is a number, not undefined/],
  [
    () => socket.connect({ host: "example.com", port: 80 }),
    /Names are not looked up: a DNS query would block/,
  ],
  [() => socket.connect({ host: "256.1.1.1", port: 80 }), /four numbers from 0 to 255/],
  [() => socket.connect({ host: "::1", port: 80 }), /For IPv6 make the socket with new Socket\(AF_INET6\)/],
  [() => socket.connect({ host: any(12), port: 80 }), /a host that is a string .* not 12/],
  [() => socket.connect({ host: "127.0.0.1\0.example.com", port: 80 }), /zero byte/],
  [() => socket.listen(any("many")), /listen takes a backlog that is a number, not "many"/],
  [() => socket.setBlocking(any(0)), /setBlocking takes true or false, not 0/],
  [() => socket.recv(0), /recv takes a size from 1 to 16777216, not 0/],
  [() => socket.recv(-1), /not -1/],
  [() => socket.recv(2 ** 40), /not 1099511627776/],
  [() => socket.recv(1.5), /not 1\.5/],
  [() => socket.recv(any(undefined)), /a size that is a number, not undefined/],
  [() => socket.recv(10, any("peek")), /recv takes flags such as MSG_PEEK that is a number, not "peek"/],
  [() => socket.recvInto(new Uint8Array(0)), /a buffer with room for at least one byte/],
  [() => socket.recvInto(any("buffer")), /a Buffer or Uint8Array to fill, not "buffer"/],
  [() => socket.send(any(5)), /bytes \(a Buffer or Uint8Array\) or a string, not 5\. Did you mean String/],
  [() => socket.send(any([1, 2])), /not an array/],
  [() => socket.send(any(new Uint16Array(1))), /not an object \(Uint16Array\)/],
  [() => socket.send(any(null)), /not null/],
  [() => socket.send("x", any({})), /send takes flags/],
  [() => socket.shutdown(any(1)), /"read", "write" or "both", not 1/],
  [() => socket.shutdown(any("toString")), /"read", "write" or "both"/],
  [
    () => socket.setOption(1, 2, any("on")),
    /a value \(or memory that holds one\) that is a number, not "on"/,
  ],
  [() => socket.setOption(any("SOL_SOCKET"), 2, 1), /a level such as SOL_SOCKET that is a number/],
  [() => socket.getOption(1, 2, 0), /a size from 1 to 4096, not 0/],
  [() => epoll.register(any("socket"), EPOLLIN), /a Socket or the number of a file descriptor, not "socket"/],
  [() => epoll.register(any({}), EPOLLIN), /not an object \(Object\)/],
  [() => epoll.register(-1, EPOLLIN), /a file descriptor from 0/],
  [() => epoll.register(Number.NaN, EPOLLIN), /not NaN/],
  [() => epoll.register(socket, any(undefined)), /events such as EPOLLIN \| EPOLLOUT, not undefined/],
  [() => epoll.register(socket, 1.5), /not 1\.5/],
  [
    () => epoll.poll(-0.5),
    /poll takes a timeout of 0 or more milliseconds, or -1 for ever, not -0\.5\. When a deadline/,
  ],
  [() => epoll.poll(any("long")), /a timeout in milliseconds \(-1: for ever\), not "long"/],
  [() => epoll.poll(Number.NaN), /not NaN/],
  [() => epoll.poll(0, 0), /a number of events from 1/],
  [() => poll(any(socket)), /a list such as \[\{ fd: client, events: POLLIN \}\]/],
  [() => poll([any(null)], 0), /poll takes a list such as/],
  [() => poll([{ fd: any("1"), events: POLLIN }], 0), /a Socket or the number/],
  [() => poll([{ fd: closed, events: POLLIN }], 0), /closed/],
  [() => sleep(-1), /sleep takes milliseconds, 0 or more, not -1/],
  [() => sleep(any("1")), /not "1"/],
  [() => sleep(Number.NaN), /not NaN/],
  [() => getLimit(99), /a resource such as RLIMIT_NOFILE from 0 to 15/],
  [() => setLimit(7, any(64)), /limits \(soft and hard\)/],
];

for (const [call, sentence] of wrong) {
  test(`${String(call).replace("() => ", "")}`, () => {
    assert.throws(call, error => {
      assert.ok(error instanceof TypeError || error instanceof RangeError || error instanceof SyscallError);
      assert.match(error.message, sentence);
      assert.match(error.message, /[.?]$/, "the message is a sentence");
      assert.match(
        error.stack!.split("\n    at ")[1]!,
        /arguments\.process\.test\.ts/,
        "the stack begins at the caller",
      );
      return true;
    });
  });
}

test("the wrong arguments have not touched the socket", () => {
  peer.send("still here");
  assert.equal(socket.recv(100)!.toString(), "still here");
});

test("every method of a closed socket throws EBADF", () => {
  const methods: ((socket: Socket) => unknown)[] = [
    s => s.bind({ port: 0 }),
    s => s.listen(),
    s => s.accept(),
    s => s.connect({ port: 1 }),
    s => s.recv(1),
    s => s.recvInto(new Uint8Array(1)),
    s => s.send("x"),
    s => s.shutdown("both"),
    s => s.setBlocking(false),
    s => s.setOption(1, 2, 1),
    s => s.getOption(1, 2),
    s => s.takeError(),
    s => s.localAddress(),
    s => s.peerAddress(),
  ];
  for (const method of methods) {
    assert.throws(() => method(closed), {
      code: "EBADF",
      message: new RegExp(`This socket was closed; fd ${closedFd} may belong to another socket by now\\.$`),
    });
  }
  assert.doesNotThrow(() => closed.close(), "a second close does nothing");
});

test("a Socket can be made from the number of a descriptor only", () => {
  assert.throws(() => new Socket({ fd: any("7") }), /a file descriptor that is a number, not "7"/);
  const again = new Socket({ fd: socket.fd, family: AF_INET6 });
  assert.equal(again.fd, socket.fd);
});
