// Sockets: the methods of Socket against real connections on the loopback interface.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { connected, listening, reset } from "../../fixtures/connected.ts";
import {
  AF_INET6,
  EPOLLOUT,
  Epoll,
  getLimit,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_PEEK,
  POLLERR,
  POLLHUP,
  POLLOUT,
  poll,
  RLIMIT_NOFILE,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_SNDBUF,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
  setLimit,
  TCP_INFO,
  TCP_NODELAY,
} from "../net.ts";

const withCode = (code: string) => (error: unknown) => error instanceof SyscallError && error.code === code;

test("a client and a server exchange bytes", () => {
  const { listener, port } = listening();
  const client = new Socket();
  assert.equal(client.connect({ port }), true);
  const { client: server, peer } = listener.accept()!;
  assert.deepEqual(peer, client.localAddress());
  assert.deepEqual(server.peerAddress(), peer);
  assert.deepEqual(client.peerAddress(), { host: "127.0.0.1", port });
  assert.equal(client.send("你好"), 6, "send counts bytes, not characters");
  assert.equal(server.recv(1024)!.toString(), "你好");
  assert.equal(server.send(Buffer.from([0, 255])), 2);
  assert.deepEqual(client.recv(1024), Buffer.from([0, 255]));
  for (const socket of [listener, client, server]) socket.close();
});

test("would block is null: no client to accept, no bytes to receive, no room to send", () => {
  const { listener } = listening();
  listener.setBlocking(false);
  assert.equal(listener.accept(), null);
  const { client, server } = connected();
  server.setBlocking(false);
  assert.equal(server.recv(10), null);
  assert.equal(server.recvInto(new Uint8Array(10)), null);
  let taken = 0;
  for (let sent = server.send(Buffer.alloc(1 << 20)); sent !== null; ) {
    taken += sent;
    sent = server.send(Buffer.alloc(1 << 20));
  }
  assert.ok(taken > 0 && taken % (1 << 20) !== 0, `the last send before null was partial (${taken})`);
  server.setBlocking(true);
  assert.equal(client.recv(1, MSG_DONTWAIT)!.length, 1);
  assert.equal(server.recv(1, MSG_DONTWAIT), null, "a blocking socket with MSG_DONTWAIT");
  for (const socket of [listener, client, server]) socket.close();
});

test("without SOCK_NONBLOCK an accepted socket blocks, although its listener does not", () => {
  const O_NONBLOCK = 0o4000;
  const flags = (socket: Socket) => Number.parseInt(fdinfo(socket).match(/flags:\s+(\d+)/)![1]!, 8);
  const { listener, port } = listening();
  listener.setBlocking(false);
  const clients = [new Socket(), new Socket()];
  for (const client of clients) client.connect({ port });
  const inherited = listener.accept()!.client;
  const asked = listener.accept(SOCK_NONBLOCK)!.client;
  assert.equal(flags(listener) & O_NONBLOCK, O_NONBLOCK);
  assert.equal(flags(inherited) & O_NONBLOCK, 0);
  assert.equal(flags(asked) & O_NONBLOCK, O_NONBLOCK);
  const O_CLOEXEC = 0o2000000;
  for (const socket of [listener, inherited, asked]) {
    assert.equal(flags(socket) & O_CLOEXEC, O_CLOEXEC, "no child process inherits it");
  }
  for (const socket of [listener, inherited, asked, ...clients]) socket.close();
});

test("half-close: the peer reads to the end of the stream and can still send", () => {
  const { client, server } = connected();
  client.send("last words");
  client.shutdown("write");
  assert.equal(server.recv(100)!.toString(), "last words");
  assert.equal(server.recv(100)!.length, 0, "the end of the stream is an empty Buffer");
  assert.equal(server.recvInto(new Uint8Array(1)), 0);
  server.send("heard");
  assert.equal(client.recv(100)!.toString(), "heard");
  assert.throws(() => client.send("more"), withCode("EPIPE"));
  client.close();
  server.close();
});

test("after a reset recv throws ECONNRESET once, and send EPIPE", () => {
  const { client, server } = connected();
  reset(client);
  assert.throws(
    () => server.recv(1),
    (error: SyscallError) => {
      assert.deepEqual([error.syscall, error.errno, error.code], ["recv", 104, "ECONNRESET"]);
      assert.match(
        error.message,
        /^recv\(fd \d+, 1\): ECONNRESET, connection reset by peer\. The peer has reset/,
      );
      assert.match(error.stack!, /\n {4}at .*socket\.process\.test\.ts/, "the stack begins at the caller");
      assert.doesNotMatch(error.stack!, /runtime\/(socket|errors)\.ts/);
      return true;
    },
  );
  assert.throws(() => server.send("x"), withCode("EPIPE"));
  assert.throws(() => server.peerAddress(), withCode("ENOTCONN"));
  server.close();
});

test("a close with unread bytes resets the connection", () => {
  const { client, server } = connected();
  client.send("unread");
  server.recv(1);
  server.close();
  assert.throws(() => client.recv(1), withCode("ECONNRESET"));
  client.close();
});

test("after a close with unread bytes the peer gets what has arrived, and not what was in the send buffer", () => {
  const { client, server } = connected();
  client.send("unread");
  server.setBlocking(false);
  const accepted = server.send(Buffer.alloc(8 * 1024 * 1024))!;
  const inFlight = readable(client);
  server.close();
  const { bytes, end } = drain(client);
  assert.equal(end, "ECONNRESET");
  assert.ok(bytes >= inFlight, "Linux keeps the bytes in the receive buffer");
  assert.ok(bytes < accepted, `${bytes} of ${accepted} bytes`);
  client.close();
});

test("a lingering close delivers all, though the peer was still sending", () => {
  const { client, server } = connected();
  client.send("much of an order");
  server.recv(4);
  server.send("too long");
  server.shutdown("write");
  assert.throws(() => server.send("more"), withCode("EPIPE"));
  client.send(", and its rest");
  client.shutdown("write");
  assert.deepEqual(drain(server), {
    bytes: "much of an order, and its rest".length - 4,
    end: "end of stream",
  });
  server.close();
  assert.equal(client.recv(100)!.toString(), "too long");
  assert.equal(client.recv(100)!.length, 0);
  client.close();
});

test("SO_LINGER with 0 seconds makes close reset the connection", () => {
  const { client, server } = connected();
  const lingers = () => [
    ...new Int32Array(new Uint8Array(server.getOption(SOL_SOCKET, SO_LINGER, 8)).buffer),
  ];
  assert.deepEqual(lingers(), [0, 0]);
  server.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
  assert.deepEqual(lingers(), [1, 0]);
  server.close();
  assert.deepEqual(drain(client), { bytes: 0, end: "ECONNRESET" });
  assert.throws(() => client.shutdown("write"), withCode("ENOTCONN"));
  client.close();
});

test("a Buffer from recv does not change; MSG_PEEK leaves the bytes in the kernel", () => {
  const { client, server } = connected();
  client.send("one");
  const peeked = server.recv(10, MSG_PEEK);
  const one = server.recv(10);
  client.send("two");
  server.recv(10);
  assert.equal(peeked!.toString(), "one");
  assert.equal(one!.toString(), "one");
  client.send("into");
  const into = new Uint8Array(2);
  assert.equal(server.recvInto(into), 2);
  assert.equal(Buffer.from(into).toString(), "in");
  client.close();
  server.close();
});

test("connect throws when refused, and returns false while in progress, until the socket is writable", () => {
  const { listener, port } = listening();
  const slow = new Socket();
  slow.setBlocking(false);
  assert.equal(slow.connect({ port }), false);
  const epoll = new Epoll();
  epoll.register(slow, EPOLLOUT);
  assert.equal(epoll.poll()[0]!.fd, slow.fd);
  assert.equal(slow.getOption(SOL_SOCKET, SO_ERROR), 0);
  assert.equal(slow.connect({ port }), true, "connect on a connected socket");
  assert.throws(() => slow.connect({ port }), withCode("EISCONN"));
  listener.close();
  const refused = new Socket();
  assert.throws(() => refused.connect({ port }), withCode("ECONNREFUSED"));
  for (const each of [slow, epoll, refused]) each.close();
});

test("takeError tells once how a non-blocking connect has ended", () => {
  const closed = new Socket();
  closed.bind({ port: 0 }); // It does not listen: a connect is refused, and no other program can have the port.
  const { port } = closed.localAddress();
  const socket = new Socket();
  socket.setBlocking(false);
  assert.equal(socket.connect({ port }), false);
  const [ready] = poll([{ fd: socket, events: POLLOUT }]);
  assert.equal(ready!.events, POLLOUT | POLLERR | POLLHUP, "writable is not connected");
  const error = socket.takeError()!;
  assert.equal(error.code, "ECONNREFUSED");
  assert.match(error.message, /^takeError\(fd \d+\): ECONNREFUSED, connection refused\. No socket listens/);
  assert.equal(socket.takeError(), null, "reading it has cleared it");
  assert.deepEqual(
    socket.recv(1),
    Buffer.alloc(0),
    "a connection that never was looks like one that has ended",
  );
  assert.throws(() => socket.send("x"), withCode("EPIPE"));
  const { listener, port: other } = listening();
  assert.throws(() => socket.connect({ port: other }), /ECONNABORTED.*cannot be used again/);
  for (const each of [closed, socket, listener]) each.close();
});

test("a handshake that no listener answers is in progress: no error is pending, and no call on it waits", () => {
  const full = new Socket();
  full.bind({ port: 0 });
  full.listen(0); // room for one connection, which takes it
  const { port } = full.localAddress();
  const first = new Socket();
  assert.equal(first.connect({ port }), true);
  const socket = new Socket();
  socket.setBlocking(false);
  assert.equal(socket.connect({ port }), false);
  assert.deepEqual(poll([{ fd: socket, events: POLLOUT }], 0), []);
  assert.equal(socket.takeError(), null);
  assert.equal(socket.connect({ port }), false, "EALREADY");
  assert.equal(socket.send("x"), null);
  assert.equal(socket.recv(1), null);
  assert.throws(() => socket.peerAddress(), withCode("ENOTCONN"));
  full.accept()!.client.close();
  assert.equal(poll([{ fd: socket, events: POLLOUT }], 10_000).length, 1, "the kernel sends its SYN again");
  assert.equal(socket.takeError(), null);
  assert.equal(socket.peerAddress().port, port);
  for (const each of [full, first, socket]) each.close();
});

test("EADDRINUSE names the port and the remedy", () => {
  const { listener, port } = listening();
  const second = new Socket();
  assert.throws(
    () => second.bind({ port }),
    new RegExp(
      `^SyscallError: bind\\(fd ${second.fd}, 127\\.0\\.0\\.1:${port}\\): EADDRINUSE, address already in use\\. .*SO_REUSEADDR`,
    ),
  );
  assert.throws(() => second.bind({ host: "203.0.113.1", port: 0 }), withCode("EADDRNOTAVAIL"));
  listener.close();
  second.close();
});

test("without a free descriptor accept throws EMFILE, and the client stays in the queue", () => {
  const { listener, port } = listening();
  const client = new Socket();
  client.connect({ port });
  const before = getLimit(RLIMIT_NOFILE);
  const next = new Socket();
  next.close();
  const lowest = Math.max(client.fd, listener.fd) + 1;
  setLimit(RLIMIT_NOFILE, { ...before, soft: lowest });
  try {
    assert.throws(() => listener.accept(), withCode("EMFILE"));
    assert.throws(() => new Socket(), withCode("EMFILE"));
    assert.throws(() => new Epoll(), withCode("EMFILE"));
  } finally {
    setLimit(RLIMIT_NOFILE, before);
  }
  const { client: server } = listener.accept()!;
  for (const socket of [server, client, listener]) socket.close();
});

test("options are ints, or memory for a struct", () => {
  const { client, server } = connected();
  client.setOption(SOL_SOCKET, SO_REUSEADDR, true);
  assert.equal(client.getOption(SOL_SOCKET, SO_REUSEADDR), 1);
  client.setOption(SOL_SOCKET, SO_RCVBUF, 4096);
  assert.equal(client.getOption(SOL_SOCKET, SO_RCVBUF), 8192, "the kernel doubles it");
  client.setOption(SOL_SOCKET, SO_SNDBUF, Buffer.from(new Int32Array([8192]).buffer));
  assert.equal(client.getOption(SOL_SOCKET, SO_SNDBUF), 16384);
  client.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
  assert.equal(client.getOption(IPPROTO_TCP, TCP_NODELAY), 1);
  const ESTABLISHED = 1;
  assert.equal(client.getOption(IPPROTO_TCP, TCP_INFO, 104)[0], ESTABLISHED);
  assert.throws(() => client.setOption(SOL_SOCKET, 9999, 1), withCode("ENOPROTOOPT"));
  client.close();
  server.close();
});

test("IPv6 has the same shape", () => {
  const listener = new Socket(AF_INET6);
  listener.bind({ port: 0 });
  listener.listen();
  const { host, port } = listener.localAddress();
  assert.equal(host, "::1");
  const client = new Socket(AF_INET6);
  client.connect({ host: "0:0:0:0:0:0:0:1", port });
  const { client: server, peer } = listener.accept()!;
  assert.equal(peer.host, "::1");
  assert.match(inspect(server), /^<Socket fd=\d+ peer=\[::1\]:\d+>$/);
  for (const socket of [listener, client, server]) socket.close();
});

test("console.log shows a socket as Python does", () => {
  const { listener, port } = listening();
  const client = new Socket();
  assert.equal(inspect(client), `<Socket fd=${client.fd}>`);
  client.connect({ port });
  const { client: server, peer } = listener.accept()!;
  assert.equal(inspect(listener), `<Socket fd=${listener.fd} listening on 127.0.0.1:${port}>`);
  assert.equal(inspect(client), `<Socket fd=${client.fd} peer=127.0.0.1:${port}>`);
  assert.equal(inspect([server]), `[ <Socket fd=${server.fd} peer=127.0.0.1:${peer.port}> ]`);
  const was = server.fd;
  server.close();
  server.close();
  assert.equal(inspect(server), `<Socket closed, was fd=${was}>`);
  assert.equal(server.fd, -1);
  client.close();
  listener.close();
});

test("bind uses the given host, and 127.0.0.1 by default", () => {
  for (const [host, bound] of [
    [undefined, "127.0.0.1"],
    ["localhost", "127.0.0.1"],
    ["127.0.0.5", "127.0.0.5"],
  ] as const) {
    const socket = new Socket();
    socket.bind({ host, port: 0 });
    assert.equal(socket.localAddress().host, bound);
    socket.close();
  }
});

function fdinfo({ fd }: Socket): string {
  return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
}

/** The bytes that lie in the receive buffer of this socket now. */
function readable(socket: Socket): number {
  return socket.recv(8 * 1024 * 1024, MSG_PEEK)!.length;
}

/** Receives until the stream ends, in one way or the other. */
function drain(socket: Socket): { bytes: number; end: string } {
  let bytes = 0;
  try {
    while (true) {
      const piece = socket.recv(64 * 1024)!;
      if (piece.length === 0) return { bytes, end: "end of stream" };
      bytes += piece.length;
    }
  } catch (error) {
    return { bytes, end: (error as SyscallError).code };
  }
}
