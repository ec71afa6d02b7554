// Pipes, pairs of sockets and event counters: what they carry, when they would block, and how they end.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  EPOLLIN,
  Epoll,
  EventFd,
  O_NONBLOCK,
  Pipe,
  POLLHUP,
  POLLIN,
  poll,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socketPair,
} from "../net.ts";

test("a pipe carries bytes in order, is full at 64 KB, and ends when its writer closes", () => {
  const pipe = new Pipe(O_NONBLOCK);
  assert.equal(pipe.read(10), null, "nothing yet");
  assert.equal(pipe.write("你好"), 6, "bytes, and not characters");
  assert.deepEqual(poll([{ fd: pipe.readFd, events: POLLIN }], 0), [{ fd: pipe.readFd, events: POLLIN }]);
  assert.equal(pipe.read(100)!.toString(), "你好");
  assert.equal(pipe.write(Buffer.alloc(100_000)), 65_536, "what fits");
  assert.equal(pipe.write("x"), null, "full");
  assert.equal(pipe.read(65_536)!.length, 65_536);
  pipe.write("last");
  pipe.closeWriter();
  assert.equal(pipe.read(100)!.toString(), "last");
  assert.equal(pipe.read(100)!.length, 0, "the end");
  assert.deepEqual(
    poll([{ fd: pipe.readFd, events: POLLIN }], 0).map(({ events }) => events),
    [POLLHUP],
  );
  assert.throws(() => pipe.write("x"), { code: "EBADF" });
  pipe.closeReader();
});

test("a pipe without a reader fails with EPIPE", () => {
  const pipe = new Pipe();
  pipe.closeReader();
  assert.throws(() => pipe.write("x"), { code: "EPIPE" });
  assert.throws(() => pipe.read(1), { code: "EBADF" });
  pipe.closeWriter();
});

test("a pair of sockets carries bytes both ways, and its end", () => {
  const [one, other] = socketPair(SOCK_STREAM | SOCK_NONBLOCK);
  assert.equal(other.recv(10), null);
  one.send("ping");
  assert.equal(other.recv(10)!.toString(), "ping");
  other.send("pong");
  assert.equal(one.recv(10)!.toString(), "pong");
  one.close();
  assert.equal(other.recv(10)!.length, 0);
  other.close();
});

test("a copy of a socket has its connection, and keeps its registration when the original is closed", () => {
  const [one, other] = socketPair(SOCK_STREAM | SOCK_NONBLOCK);
  const epoll = new Epoll();
  const number = one.fd;
  const copy = one.dup();
  assert.ok(copy.fd !== one.fd);
  epoll.register(one, EPOLLIN);
  one.close();
  assert.equal(copy.recv(10), null, "O_NONBLOCK is that of the open file");
  other.send("tea");
  assert.deepEqual(epoll.poll(0), [{ fd: number, events: EPOLLIN }], "the closed number is reported");
  assert.throws(() => epoll.unregister(number), { code: "EBADF" });
  assert.equal(copy.recv(10)!.toString(), "tea");
  copy.close();
  assert.equal(other.recv(10)!.length, 0, "the last close ends the connection");
  assert.deepEqual(epoll.poll(0), []);
  assert.throws(() => copy.dup(), { code: "EBADF" });
  other.close();
  epoll.close();
});

test("an event counter adds up, is readable while it is not 0, and a semaphore gives 1 each time", () => {
  const counter = new EventFd(0, EFD_NONBLOCK);
  assert.equal(counter.take(), null);
  assert.equal(counter.add(), true);
  assert.equal(counter.add(41), true);
  assert.equal(poll([{ fd: counter, events: POLLIN }], 0).length, 1);
  assert.equal(counter.take(), 42);
  assert.deepEqual(poll([{ fd: counter, events: POLLIN }], 0), []);
  counter.close();
  assert.throws(() => counter.add(), { code: "EBADF" });
  const semaphore = new EventFd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
  assert.deepEqual([semaphore.take(), semaphore.take(), semaphore.take()], [1, 1, null]);
  semaphore.close();
});

test("wrong arguments get a sentence", () => {
  assert.throws(() => new Pipe(7), /new Pipe takes O_NONBLOCK or 0 as its flags, not 7/);
  assert.throws(() => socketPair(0), /a type such as SOCK_STREAM from 1/);
  assert.throws(() => new EventFd(-1), /a first count from 0/);
  const counter = new EventFd();
  assert.throws(() => counter.add(0), /a value from 1/);
  counter.close();
});
