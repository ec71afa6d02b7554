// Socket. One method for each system call on a socket, as in Python; the only hidden step is the retry after EINTR. "Would
// block" is null (or false), the end of the stream is an empty Buffer, and every other error is a SyscallError.
import { inspect } from "node:util";
import {
  AF_INET,
  AF_INET6,
  POLLOUT,
  SO_ERROR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
} from "../sys/constants.ts";
import { EAGAIN, EALREADY, EBADF, EINPROGRESS, EINTR } from "../sys/errno.ts";
import * as sys from "../sys/syscalls.ts";
import { type Address, decodeAddress, encodeAddress, formatAddress, sockaddrBytes } from "./address.ts";
import { type Called, checkFlags, dataBytes, integer, misuse, mostBytes, shown } from "./arguments.ts";
import { failed, type SyscallError } from "./errors.ts";

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = SOCK_NONBLOCK;
const halves = { read: 0, write: 1, both: 2 } as const;

// Shared by all sockets: the program has one thread, and each call reads them before the next call fills them.
let scratch = Buffer.allocUnsafeSlow(64 * 1024);
const sockaddr = new Uint8Array(sockaddrBytes);
const length = new Uint32Array(1);

/** One end of a TCP connection, or a listener that accepts connections. See socket(2), socket(7), tcp(7). */
export class Socket {
  /** The file descriptor: the number of this socket in this process. -1 after close. */
  readonly fd: number;
  readonly #family: number;
  #was = -1;
  #local: Address | null = null;
  #peer: Address | null = null;
  #listening = false;

  /**
   * Makes a socket: socket(2). A new socket is blocking; `setBlocking(false)` changes that.
   * @param domain AF_INET (IPv4) or AF_INET6. Or `{ fd }`: not a new socket, but the open socket with this number, which
   *   this object then closes.
   * @param type SOCK_STREAM (TCP); may be combined with SOCK_NONBLOCK by |. SOCK_CLOEXEC is always added.
   * @throws SyscallError EMFILE when this process may open no more descriptors
   */
  constructor(
    domain: number | { fd: number; peer?: Address; family?: number } = AF_INET,
    type: number = SOCK_STREAM,
  ) {
    if (typeof domain === "object" && domain !== null) {
      this.fd = integer(Socket, "a file descriptor", domain.fd, 0, 2 ** 31 - 1);
      this.#family = domain.family ?? AF_INET;
      this.#peer = domain.peer ?? null;
      return;
    }
    if (domain !== AF_INET && domain !== AF_INET6) {
      throw misuse(Socket, `takes AF_INET or AF_INET6 as its domain, not ${shown(domain)}.`);
    }
    integer(Socket, "a type", type, 1, 2 ** 31 - 1);
    this.#family = domain;
    this.fd = sys.socket(domain, type | SOCK_CLOEXEC, 0);
    if (this.fd === -1) throw failed(Socket, "socket", "new Socket()", sys.errno);
  }

  /**
   * Gives the socket its local address: bind(2).
   * @param address `port` 0 chooses a free port (read it with `localAddress`). `host` is 127.0.0.1 by default, which only
   *   this machine can reach; "" or "0.0.0.0" means every network interface, so other machines can connect too.
   * @throws SyscallError EADDRINUSE when another socket uses the port, EACCES for a port below 1024, EADDRNOTAVAIL when
   *   this machine does not have the address
   */
  bind(address: { host?: string; port: number }): void {
    const fd = this.#open(this.bind);
    const bytes = encodeAddress(this.bind, this.#family, address);
    if (sys.bind(fd, bytes) === -1) {
      const at = formatAddress(decodeAddress(bytes));
      throw failed(this.bind, "bind", `bind(fd ${fd}, ${at})`, sys.errno);
    }
    this.#local = decodeAddress(bytes);
  }

  /**
   * Makes the socket a listener: listen(2). From now on the kernel completes handshakes by itself, and keeps the new
   * connections in the accept queue.
   * @param backlog the length of the accept queue (Linux admits one more); the kernel limits it to net.core.somaxconn
   *   (4096 by default)
   * @throws SyscallError EADDRINUSE when another socket listens on this port
   */
  listen(backlog: number = SOMAXCONN): void {
    const fd = this.#open(this.listen);
    integer(this.listen, "a backlog", backlog, 0, 2 ** 31 - 1);
    if (sys.listen(fd, backlog) === -1) {
      throw failed(this.listen, "listen", `listen(fd ${fd}, ${backlog})`, sys.errno);
    }
    this.#listening = true;
  }

  /**
   * Chooses what a call does that cannot proceed: wait (blocking, as every new socket), or return null at once: fcntl(2)
   * with O_NONBLOCK. It makes two system calls: F_GETFL reads the flags, F_SETFL sets them.
   * @param blocking false: accept, recv and send return null, and connect false, instead of waiting
   */
  setBlocking(blocking: boolean): void {
    const fd = this.#open(this.setBlocking);
    if (typeof blocking !== "boolean") {
      throw misuse(this.setBlocking, `takes true or false, not ${shown(blocking)}.`);
    }
    const flags = sys.fcntl(fd, F_GETFL, 0);
    const wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (flags === -1 || sys.fcntl(fd, F_SETFL, wanted) === -1) {
      throw failed(this.setBlocking, "fcntl", `setBlocking(${blocking}) on fd ${fd}`, sys.errno);
    }
  }

  /**
   * Takes the next connection from the accept queue: accept4(2). A blocking listener waits for a connection.
   *
   * The client is a new socket, and **it is blocking, even when the listener is not**: on Linux the new socket does not
   * inherit O_NONBLOCK (accept(2)). Call `client.setBlocking(false)`, or pass SOCK_NONBLOCK here.
   * @param flags SOCK_NONBLOCK, or 0
   * @returns the client's socket and address; null when the accept queue is empty (would block)
   * @throws SyscallError EMFILE when this process may open no more descriptors (the connection stays in the queue),
   *   ECONNABORTED when the connection was aborted. Linux still returns a connection that was reset; then recv throws.
   */
  accept(flags = 0): { client: Socket; peer: Address } | null {
    const listener = this.#open(this.accept);
    checkFlags(this.accept, "SOCK_NONBLOCK", flags);
    let fd: number;
    do fd = sys.accept4(listener, sockaddr, length, flags | SOCK_CLOEXEC);
    while (fd === -1 && sys.errno === EINTR);
    if (fd === -1) {
      if (sys.errno === EAGAIN) return null;
      throw failed(this.accept, "accept4", `accept(fd ${listener})`, sys.errno);
    }
    const peer = decodeAddress(sockaddr);
    return { client: new Socket({ fd, peer, family: this.#family }), peer };
  }

  /**
   * Connects to a listener: connect(2). A blocking socket waits until the handshake has ended: with success, with an
   * error, or after the last SYN that the kernel sends: about two minutes (tcp_syn_retries in tcp(7)).
   * @param address `host` is 127.0.0.1 by default. It is an IP address and no name: DNS is not a system call.
   * @returns true when connected. false when the handshake is in progress (EINPROGRESS; EALREADY for a further call):
   *   only a non-blocking socket returns it. When `poll` reports POLLOUT, the handshake has ended, and `takeError` tells
   *   how.
   * @throws SyscallError ECONNREFUSED when no socket listens there, ETIMEDOUT when the host does not answer, EISCONN when
   *   the socket is connected already, ECONNABORTED when its last connect has failed: then make a new socket
   */
  connect(address: { host?: string; port: number }): boolean {
    const fd = this.#open(this.connect);
    const bytes = encodeAddress(this.connect, this.#family, address);
    const peer = decodeAddress(bytes);
    if (sys.connect(fd, bytes) === -1) {
      let errno = sys.errno;
      // The handshake goes on after a signal, and a second connect would return EALREADY: so wait for its end.
      if (errno === EINTR) errno = this.#connected(fd);
      if (errno === EINPROGRESS || errno === EALREADY) {
        this.#peer = peer;
        return false;
      }
      if (errno !== 0)
        throw failed(this.connect, "connect", `connect(fd ${fd}, ${formatAddress(peer)})`, errno);
    }
    this.#peer = peer;
    return true;
  }

  /**
   * Receives bytes: recv(2). It returns the bytes that are there, at most `size`: TCP is a stream of bytes without
   * messages. A blocking socket waits for the first byte.
   * @param size the most bytes to return, 1 to 16777216
   * @param flags MSG_PEEK, MSG_DONTWAIT, …
   * @returns a new Buffer. Empty (`length` 0): the end of the stream, the peer has closed its side and sends no more.
   *   null: no bytes have come yet (would block), or SO_RCVTIMEO is set and its time is over.
   * @throws SyscallError ECONNRESET when the peer has reset the connection
   */
  recv(size: number, flags = 0): Buffer | null {
    if (this.fd === -1) throw this.#gone(this.recv);
    if (!(size >= 1 && size <= mostBytes && size % 1 === 0)) integer(this.recv, "a size", size, 1, mostBytes);
    if (size > scratch.length) scratch = Buffer.allocUnsafeSlow(size);
    const got = this.#receive(this.recv, scratch, size, flags);
    // A copy, so that a small message does not keep a large buffer alive, and the next recv does not change it.
    return got === null ? null : Buffer.from(scratch.subarray(0, got));
  }

  /**
   * Receives bytes into a given buffer: recv(2), as `recv`, without a new Buffer for each call.
   * @param into the buffer to fill, with room for at least one byte
   * @param flags MSG_PEEK, MSG_DONTWAIT, …
   * @returns the number of bytes received; 0: the end of the stream; null: no bytes have come yet (would block)
   * @throws SyscallError ECONNRESET when the peer has reset the connection
   */
  recvInto(into: Uint8Array, flags = 0): number | null {
    if (this.fd === -1) throw this.#gone(this.recvInto);
    if (!(into instanceof Uint8Array)) {
      throw misuse(this.recvInto, `takes a Buffer or Uint8Array to fill, not ${shown(into)}.`);
    }
    if (into.length === 0) {
      throw misuse(
        this.recvInto,
        "takes a buffer with room for at least one byte: without room, recv returns 0 as at the end of the stream.",
        RangeError,
      );
    }
    return this.#receive(this.recvInto, into, into.length, flags);
  }

  #receive(called: Called, into: Uint8Array, size: number, flags: number): number | null {
    checkFlags(called, "MSG_PEEK", flags);
    const fd = this.fd;
    let got: number;
    do got = sys.recv(fd, into, size, flags);
    while (got === -1 && sys.errno === EINTR);
    if (got !== -1) return got;
    if (sys.errno === EAGAIN) return null;
    throw failed(called, "recv", `recv(fd ${fd}, ${size})`, sys.errno);
  }

  /**
   * Sends bytes: send(2) copies them into the kernel's send buffer. When the buffer is nearly full, a non-blocking socket
   * accepts only a part of them: look at the result, and send the rest later. A blocking socket waits until all fit.
   * @param bytes a Buffer or Uint8Array; a string is sent as UTF-8
   * @param flags MSG_DONTWAIT, MSG_MORE, …
   * @returns the number of bytes accepted (bytes, not characters: "你" is three); null: the send buffer is full
   *   (would block)
   * @throws SyscallError EPIPE when the connection is closed for sending, ECONNRESET when the peer has reset it
   */
  send(bytes: Uint8Array | string, flags = 0): number | null {
    if (this.fd === -1) throw this.#gone(this.send);
    const out = dataBytes(this.send, bytes);
    checkFlags(this.send, "MSG_DONTWAIT", flags);
    const fd = this.fd;
    let sent: number;
    do sent = sys.send(fd, out, out.length, flags);
    while (sent === -1 && sys.errno === EINTR);
    if (sent !== -1) return sent;
    if (sys.errno === EAGAIN) return null;
    throw failed(this.send, "send", `send(fd ${fd}, ${out.length} bytes)`, sys.errno);
  }

  /**
   * Ends one direction of the connection, or both, and keeps the descriptor open: shutdown(2). It does not wait, and it
   * ends the direction of the connection itself: for each process that has a descriptor of it.
   * @param how "write": the kernel sends what is in the send buffer, and then FIN; the peer's recv reaches the end of the
   *   stream, and a later send throws EPIPE here. "read": recv does not wait any more, but on Linux it still returns bytes
   *   that arrive, and the peer learns nothing. "both"
   * @throws SyscallError ENOTCONN when the socket is not connected (any more)
   */
  shutdown(how: "read" | "write" | "both"): void {
    const fd = this.#open(this.shutdown);
    if (!Object.hasOwn(halves, how)) {
      throw misuse(this.shutdown, `takes "read", "write" or "both", not ${shown(how)}.`);
    }
    if (sys.shutdown(fd, halves[how]) === -1) {
      throw failed(this.shutdown, "shutdown", `shutdown(fd ${fd}, "${how}")`, sys.errno);
    }
  }

  /**
   * Makes a second descriptor of this socket: dup(2). Both numbers lead to one open file: one connection, one receive
   * buffer, one O_NONBLOCK. `close` of one leaves the other as it was, and with it the connection and each registration in
   * an epoll. A child process that inherits descriptors copies them in the same way.
   * @returns a Socket of the same connection or listener, with a number of its own
   * @throws SyscallError EMFILE when this process may open no more descriptors
   */
  dup(): Socket {
    const fd = this.#open(this.dup);
    const copy = sys.dup(fd);
    if (copy === -1) throw failed(this.dup, "dup", `dup(fd ${fd})`, sys.errno);
    const made = new Socket({ fd: copy, family: this.#family });
    made.#peer = this.#peer;
    made.#local = this.#local;
    made.#listening = this.#listening;
    return made;
  }

  /**
   * Closes the socket: close(2). The kernel may give the same descriptor number to the very next socket. It sends what is
   * in the send buffer, and then FIN, while the program goes on.
   *
   * **If received bytes were not read, the kernel sends a reset (RST) instead**, and what is in the send buffer is lost:
   * RFC 9293, 3.6.1. So it does when bytes arrive afterwards.
   *
   * The connection and its registrations in epolls end with the last descriptor of it: a child process may have another.
   *
   * It waits only when SO_LINGER is set to some seconds, and then on a non-blocking socket, too.
   *
   * A second close does nothing. After EINTR close is not called again, because on Linux the descriptor is closed.
   */
  close(): void {
    if (this.fd === -1) return;
    const fd = this.fd;
    this.#was = fd;
    (this as { fd: number }).fd = -1;
    if (sys.close(fd) === -1 && sys.errno !== EINTR) {
      throw failed(this.close, "close", `close(fd ${fd})`, sys.errno);
    }
  }

  /**
   * Sets an option: setsockopt(2). See socket(7), tcp(7).
   * @param level SOL_SOCKET, IPPROTO_TCP, …
   * @param option SO_REUSEADDR, TCP_NODELAY, …
   * @param value a number, true or false for an option that is an int; memory for an option that is a struct:
   *   `setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]))`
   * @throws SyscallError ENOPROTOOPT for an option that the level does not have, EINVAL for a wrong value
   */
  setOption(level: number, option: number, value: number | boolean | ArrayBufferView): void {
    const fd = this.#open(this.setOption);
    integer(this.setOption, "a level such as SOL_SOCKET", level, 0, 2 ** 31 - 1);
    integer(this.setOption, "an option such as SO_REUSEADDR", option, 0, 2 ** 31 - 1);
    if (sys.setsockopt(fd, level, option, optionBytes(this.setOption, value)) === -1) {
      throw failed(this.setOption, "setsockopt", `setOption(fd ${fd}, ${level}, ${option})`, sys.errno);
    }
  }

  /**
   * Reads an option: getsockopt(2). See socket(7), tcp(7).
   * @param level SOL_SOCKET, IPPROTO_TCP, …
   * @param option SO_ERROR, TCP_INFO, …
   * @param size for an option that is a struct: the most bytes to read, 1 to 4096
   * @returns the int; with `size` the bytes that the kernel returned
   * @throws SyscallError ENOPROTOOPT for an option that the level does not have
   */
  getOption(level: number, option: number): number;
  getOption(level: number, option: number, size: number): Buffer;
  getOption(level: number, option: number, size?: number): number | Buffer {
    const fd = this.#open(this.getOption);
    integer(this.getOption, "a level such as SOL_SOCKET", level, 0, 2 ** 31 - 1);
    integer(this.getOption, "an option such as SO_ERROR", option, 0, 2 ** 31 - 1);
    if (size !== undefined) integer(this.getOption, "a size", size, 1, 4096);
    const value = Buffer.alloc(size ?? 4);
    length[0] = value.length;
    if (sys.getsockopt(fd, level, option, value, length) === -1) {
      throw failed(this.getOption, "getsockopt", `getOption(fd ${fd}, ${level}, ${option})`, sys.errno);
    }
    return size === undefined ? value.readInt32LE() : value.subarray(0, length[0]);
  }

  /**
   * Returns the pending error of the socket, and clears it: getsockopt(2) with SO_ERROR. After a non-blocking `connect`
   * it tells how the handshake has ended.
   * @returns the error; null: no error is pending. While a handshake is in progress that is null, too: first wait until
   *   `poll` reports POLLOUT. A second call returns null, because the first has cleared the error.
   * @throws SyscallError EBADF when the socket is closed
   */
  takeError(): SyscallError | null {
    const fd = this.#open(this.takeError);
    const errno = this.getOption(SOL_SOCKET, SO_ERROR);
    return errno === 0 ? null : failed(this.takeError, "getsockopt", `takeError(fd ${fd})`, errno);
  }

  /** The address of this end: getsockname(2). After `bind({ port: 0 })` it has the port that the kernel has chosen. */
  localAddress(): Address {
    const fd = this.#open(this.localAddress);
    if (sys.getsockname(fd, sockaddr, length) === -1) {
      throw failed(this.localAddress, "getsockname", `localAddress(fd ${fd})`, sys.errno);
    }
    this.#local = decodeAddress(sockaddr);
    return { ...this.#local };
  }

  /**
   * The address of the other end: getpeername(2).
   * @throws SyscallError ENOTCONN when the socket is not connected (any more)
   */
  peerAddress(): Address {
    const fd = this.#open(this.peerAddress);
    if (sys.getpeername(fd, sockaddr, length) === -1) {
      throw failed(this.peerAddress, "getpeername", `peerAddress(fd ${fd})`, sys.errno);
    }
    this.#peer = decodeAddress(sockaddr);
    return { ...this.#peer };
  }

  /** The text that `console.log` prints: <Socket fd=7 peer=127.0.0.1:51322>. It makes no system call. */
  [inspect.custom](): string {
    if (this.fd === -1) return `<Socket closed, was fd=${this.#was}>`;
    const words = [`fd=${this.fd}`];
    if (this.#listening && this.#local) words.push(`listening on ${formatAddress(this.#local)}`);
    else if (this.#peer) words.push(`peer=${formatAddress(this.#peer)}`);
    else if (this.#local) words.push(`local=${formatAddress(this.#local)}`);
    return `<Socket ${words.join(" ")}>`;
  }

  /** The descriptor. @throws SyscallError EBADF when the socket is closed */
  #open(called: Called): number {
    if (this.fd === -1) throw this.#gone(called);
    return this.fd;
  }

  #gone(called: Called): Error {
    const call = `${called.name} on a closed socket`;
    const hint = `This socket was closed; fd ${this.#was} may belong to another socket by now.`;
    return failed(called, called.name, call, EBADF, hint);
  }

  /** Waits for the end of a handshake that a signal interrupted. @returns 0 or an errno */
  #connected(fd: number): number {
    const pollfd = new Uint8Array(8);
    const view = new DataView(pollfd.buffer);
    view.setInt32(0, fd, true);
    view.setInt16(4, POLLOUT, true);
    while (sys.poll(pollfd, 1, -1) === -1) if (sys.errno !== EINTR) return sys.errno;
    return this.getOption(SOL_SOCKET, SO_ERROR);
  }
}

function optionBytes(called: Called, value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const number = typeof value === "boolean" ? Number(value) : value;
  const int = integer(called, "a value (or memory that holds one)", number, -(2 ** 31), 2 ** 31 - 1);
  return new Uint8Array(new Int32Array([int]).buffer);
}
