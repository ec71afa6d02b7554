import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { connected, listening, reset } from "../fixtures/connected.ts";
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  Epoll,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  poll,
  Socket,
  SyscallError,
  sleep,
} from "./net.ts";

const withCode = (code: string) => (error: unknown) => error instanceof SyscallError && error.code === code;

/** Both ends of a connection, and an epoll that watches the server's. */
function watched(events: number) {
  const { client, server } = connected();
  server.setBlocking(false);
  const epoll = new Epoll();
  epoll.register(server, events);
  const close = () => {
    for (const each of [epoll, client, server]) each.close();
  };
  return { client, server, epoll, told: () => epoll.poll(0).map(({ events }) => events), close };
}

test("level-triggered: told while it is so; edge-triggered: told when it becomes so", () => {
  for (const [mode, afterNothing, afterPartialRead] of [
    [0, [EPOLLIN], [EPOLLIN]],
    [EPOLLET, [], []],
  ] as const) {
    const { client, server, told, close } = watched(EPOLLIN | mode);
    assert.deepEqual(told(), [], "nothing yet");
    client.send("abcdef");
    assert.deepEqual(told(), [EPOLLIN]);
    assert.deepEqual(told(), afterNothing, "asked again, nothing read");
    server.recv(3);
    assert.deepEqual(told(), afterPartialRead, "half of it read");
    client.send("ghi");
    assert.deepEqual(told(), [EPOLLIN], "new data is news to both");
    while (server.recv(100) !== null);
    assert.deepEqual(told(), [], "all of it read");
    close();
  }
});

test("EPOLLONESHOT is silent until modify; so is modify an edge", () => {
  const { client, server, epoll, told, close } = watched(EPOLLIN | EPOLLONESHOT);
  client.send("x");
  assert.deepEqual(told(), [EPOLLIN]);
  client.send("y");
  assert.deepEqual(told(), []);
  epoll.modify(server, EPOLLIN | EPOLLET);
  assert.deepEqual(told(), [EPOLLIN]);
  assert.deepEqual(told(), []);
  close();
});

test("the mask tells half close, close and reset apart", () => {
  const all = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
  const half = watched(all);
  half.client.shutdown("write");
  assert.deepEqual(half.told(), [EPOLLIN | EPOLLOUT | EPOLLRDHUP]);
  half.server.shutdown("write");
  assert.deepEqual(half.told(), [EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP], "both directions are closed");
  half.close();

  const broken = watched(0);
  reset(broken.client);
  assert.deepEqual(broken.told(), [EPOLLERR | EPOLLHUP], "reported though nobody asked");
  broken.epoll.modify(broken.server, all);
  assert.deepEqual(broken.told(), [EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLERR | EPOLLHUP]);
  broken.close();
});

test("each event carries its own descriptor, with room for many and for few", () => {
  const pairs = Array.from({ length: 20 }, connected);
  const epoll = new Epoll();
  for (const { client, server } of pairs) {
    epoll.register(server, EPOLLIN);
    client.send("x");
  }
  const fds = (events: { fd: number }[]) => events.map(({ fd }) => fd).sort((a, b) => a - b);
  const expected = fds(pairs.map(({ server }) => server));
  assert.deepEqual(fds(epoll.poll(0)), expected);
  assert.equal(epoll.poll(0, 3).length, 3);
  assert.deepEqual(fds(epoll.poll(0, 5000)), expected);
  epoll.unregister(pairs[0]!.server);
  assert.equal(epoll.poll(0).length, 19);
  pairs[1]!.server.close();
  assert.equal(epoll.poll(0).length, 18, "closing the last descriptor unregisters");
  for (const { client, server } of pairs) {
    client.close();
    server.close();
  }
  epoll.close();
});

test("a wait ends when its time is over, and not before", () => {
  const { epoll, close } = watched(EPOLLIN);
  for (const wait of [() => epoll.poll(20), () => epoll.poll(19.2), () => poll([], 20), () => sleep(20)]) {
    const began = performance.now();
    wait();
    const took = performance.now() - began;
    assert.ok(took >= 19.9, `${wait} ended after ${took} ms`);
  }
  close();
});

test("epoll says what one did wrong", () => {
  const { server, epoll, close } = watched(EPOLLIN);
  assert.throws(() => epoll.register(server, EPOLLIN), withCode("EEXIST"));
  const stranger = new Socket();
  assert.throws(() => epoll.modify(stranger, EPOLLIN), withCode("ENOENT"));
  assert.throws(() => epoll.unregister(stranger), withCode("ENOENT"));
  const file = openSync(new URL(import.meta.url), "r");
  assert.throws(() => epoll.register(file, EPOLLIN), /EPERM.*regular files and directories are always ready/);
  closeSync(file);
  assert.throws(() => epoll.register(file, EPOLLIN), withCode("EBADF"));
  assert.throws(() => epoll.register(epoll, EPOLLIN), withCode("EINVAL"));
  stranger.close();
  assert.throws(() => epoll.unregister(stranger), /unregister.*EBADF.*closed/);
  close();
  assert.throws(() => epoll.poll(), /poll on a closed epoll: EBADF.*make a new one/);
});

test("poll(2) tells of a listener, of room to send, and of what is not open", () => {
  const { listener, port } = listening();
  assert.deepEqual(poll([{ fd: listener, events: POLLIN }], 0), []);
  const client = new Socket();
  client.connect({ port });
  assert.deepEqual(
    poll([
      { fd: listener, events: POLLIN },
      { fd: client.fd, events: POLLIN | POLLOUT },
      { fd: 2 ** 31 - 1, events: POLLIN },
    ]),
    [
      { fd: listener.fd, events: POLLIN },
      { fd: client.fd, events: POLLOUT },
      { fd: 2 ** 31 - 1, events: POLLNVAL },
    ],
  );
  const many = Array.from({ length: 300 }, () => ({ fd: client, events: POLLOUT }));
  assert.equal(poll(many, 0).length, 300);
  client.close();
  listener.close();
});
