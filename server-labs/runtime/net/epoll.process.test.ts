import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { connected, listening, reset } from "../../fixtures/connected.ts";
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
} from "../net.ts";

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
  return { client, server, epoll, reported: () => epoll.poll(0).map(({ events }) => events), close };
}

test("level-triggered: reported while ready; edge-triggered: reported when it becomes ready", () => {
  for (const [mode, afterNothing, afterPartialRead] of [
    [0, [EPOLLIN], [EPOLLIN]],
    [EPOLLET, [], []],
  ] as const) {
    const { client, server, reported, close } = watched(EPOLLIN | mode);
    assert.deepEqual(reported(), [], "nothing yet");
    client.send("abcdef");
    assert.deepEqual(reported(), [EPOLLIN]);
    assert.deepEqual(reported(), afterNothing, "asked again, nothing read");
    server.recv(3);
    assert.deepEqual(reported(), afterPartialRead, "half of it read");
    client.send("ghi");
    assert.deepEqual(reported(), [EPOLLIN], "new data is news to both");
    while (server.recv(100) !== null);
    assert.deepEqual(reported(), [], "all of it read");
    close();
  }
});

test("EPOLLONESHOT reports once until modify; modify re-arms an edge", () => {
  const { client, server, epoll, reported, close } = watched(EPOLLIN | EPOLLONESHOT);
  client.send("x");
  assert.deepEqual(reported(), [EPOLLIN]);
  client.send("y");
  assert.deepEqual(reported(), []);
  epoll.modify(server, EPOLLIN | EPOLLET);
  assert.deepEqual(reported(), [EPOLLIN]);
  assert.deepEqual(reported(), []);
  close();
});

test("the mask distinguishes half-close, close and reset", () => {
  const all = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
  const half = watched(all);
  half.client.shutdown("write");
  assert.deepEqual(half.reported(), [EPOLLIN | EPOLLOUT | EPOLLRDHUP]);
  half.server.shutdown("write");
  assert.deepEqual(
    half.reported(),
    [EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP],
    "both directions are closed",
  );
  half.close();

  const broken = watched(0);
  reset(broken.client);
  assert.deepEqual(broken.reported(), [EPOLLERR | EPOLLHUP], "reported without a request");
  broken.epoll.modify(broken.server, all);
  assert.deepEqual(broken.reported(), [EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLERR | EPOLLHUP]);
  broken.close();
});

test("each event carries its own descriptor, with a large and a small maxEvents", () => {
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

test("what a child holds stays registered after close, and its number no longer unregisters it", async () => {
  const { client, server, epoll, close } = watched(EPOLLIN);
  const { fd } = server;
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  await once(child, "spawn");
  server.close();
  client.send("x");
  assert.deepEqual(epoll.poll(5000), [{ fd, events: EPOLLIN }]);
  const others: Socket[] = [];
  do others.push(new Socket());
  while (others.at(-1)!.fd !== fd);
  assert.throws(
    () => epoll.unregister(fd),
    /ENOENT.*only when no other descriptor, perhaps of a child process/,
  );
  child.kill("SIGKILL");
  await once(child, "close");
  assert.deepEqual(epoll.poll(0), [], "the last descriptor is closed");
  for (const one of others) one.close();
  close();
});

test("a wait ends when its timeout is over, and not before", () => {
  const { epoll, close } = watched(EPOLLIN);
  for (const wait of [() => epoll.poll(20), () => epoll.poll(19.2), () => poll([], 20), () => sleep(20)]) {
    const began = performance.now();
    wait();
    const took = performance.now() - began;
    assert.ok(took >= 19.9, `${wait} ended after ${took} ms`);
  }
  close();
});

test("each mistake with epoll gets its error", () => {
  const { server, epoll, close } = watched(EPOLLIN);
  assert.throws(() => epoll.register(server, EPOLLIN), withCode("EEXIST"));
  const unregistered = new Socket();
  assert.throws(() => epoll.modify(unregistered, EPOLLIN), withCode("ENOENT"));
  assert.throws(() => epoll.unregister(unregistered), withCode("ENOENT"));
  const file = openSync(new URL(import.meta.url), "r");
  assert.throws(() => epoll.register(file, EPOLLIN), /EPERM.*regular files and directories are always ready/);
  closeSync(file);
  assert.throws(() => epoll.register(file, EPOLLIN), withCode("EBADF"));
  assert.throws(() => epoll.register(epoll, EPOLLIN), withCode("EINVAL"));
  unregistered.close();
  assert.throws(() => epoll.unregister(unregistered), /unregister.*EBADF.*closed/);
  close();
  assert.throws(() => epoll.poll(), /poll on a closed epoll: EBADF.*make a new one/);
});

test("poll reports a listener, room to send, and a descriptor that is not open", () => {
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
