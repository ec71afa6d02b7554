// Sockets of tasks. accept, connect, recv and send for a task: each makes the system call, and waits in the hub when the
// call would block.
import { Socket } from "../net/socket.ts";
import { AF_INET, AF_INET6, MSG_DONTWAIT, SOCK_NONBLOCK, SOCK_STREAM } from "../sys/constants.ts";
import { theHub } from "./hub.ts";
import type { Steps } from "./task.ts";
import { readable, writable } from "./wait.ts";

/**
 * Accepts the next client: accept4(2), with SOCK_NONBLOCK. Waits until a client has connected.
 * @param listener a socket that listens; it is made non-blocking
 * @throws SyscallError as Socket.accept: EMFILE when this process may open no more descriptors
 */
export function* accept(listener: Socket): Steps<NonNullable<ReturnType<Socket["accept"]>>> {
  listener.setBlocking(false);
  while (true) {
    const arrival = listener.accept(SOCK_NONBLOCK);
    if (arrival !== null) return arrival;
    yield* readable(listener);
  }
}

/**
 * Connects to a server: connect(2), on a socket that does not block. Waits until the handshake has ended.
 * @param address the server's address; its host is 127.0.0.1 by default
 * @returns the connected socket
 * @throws SyscallError ECONNREFUSED, ETIMEDOUT, and others of connect(2)
 */
export function* connect(address: { host?: string; port: number }): Steps<Socket> {
  const socket = new Socket(address.host?.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
  try {
    socket.setBlocking(false);
    if (!socket.connect(address)) {
      yield* writable(socket);
      const error = socket.takeError();
      if (error) throw error;
    }
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * Receives bytes: recv(2), with MSG_DONTWAIT. Waits until there are some.
 * @param size the most bytes
 * @returns at least one byte; an empty Buffer at the end of the stream
 * @throws SyscallError ECONNRESET when the connection was reset
 */
export function* recv(socket: Socket, size: number): Steps<Buffer> {
  const { descriptors } = theHub("recv()");
  if (descriptors.takeEmptied(socket.fd)) yield* readable(socket);
  while (true) {
    const bytes = socket.recv(size, MSG_DONTWAIT);
    if (bytes !== null) {
      if (bytes.length < size) descriptors.setEmptied(socket.fd);
      return bytes;
    }
    yield* readable(socket);
  }
}

/**
 * Sends all bytes: send(2), with MSG_DONTWAIT, as often as it takes. Waits while the kernel has no room.
 * @param bytes a string is sent as UTF-8
 * @throws SyscallError EPIPE, ECONNRESET when the other side has left
 */
export function* send(socket: Socket, bytes: Uint8Array | string): Steps<void> {
  let left = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  while (left.length > 0) {
    const sent = socket.send(left, MSG_DONTWAIT);
    if (sent === null) yield* writable(socket);
    else left = left.subarray(sent);
  }
}
