// A socket, in the shape that Python's has: one method for each system call, and nothing done behind your back but
// the retry after EINTR. "Would block" is null (or false), the end of the stream is an empty Buffer, everything
// else that goes wrong is a SyscallError.
import { inspect } from "node:util";
import { type Address, decodeAddress, encodeAddress, formatAddress, sockaddrBytes } from "./address.ts";
import { bytesOf, type Called, checkFlags, integer, misuse, mostBytes, shown } from "./arguments.ts";
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
} from "./constants.ts";
import { EAGAIN, EALREADY, EBADF, EINPROGRESS, EINTR } from "./errno.ts";
import { failed } from "./errors.ts";
import * as sys from "./syscalls.ts";

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = SOCK_NONBLOCK;
const halves = { read: 0, write: 1, both: 2 } as const;

// One thread, one call at a time: these are filled by the kernel and read before the next call.
let scratch = Buffer.allocUnsafeSlow(64 * 1024);
const sockaddr = new Uint8Array(sockaddrBytes);
const length = new Uint32Array(1);

/** One end of a conversation, or the listener where conversations begin. See socket(2), socket(7), tcp(7). */
export class Socket {
  /** The file descriptor: the number by which the kernel knows this socket in this process. -1 once closed. */
  readonly fd: number;
  readonly #family: number;
  #was = -1;
  #local: Address | null = null;
  #peer: Address | null = null;
  #listening = false;

  /**
   * Makes a socket: socket(2). It blocks until `setBlocking(false)` says otherwise.
   * @param domain AF_INET (IPv4) or AF_INET6. Or `{ fd }`: no new socket, but one that is open already under this
   *   number, which is then yours to close.
   * @param type SOCK_STREAM (TCP); may be or-ed with SOCK_NONBLOCK. SOCK_CLOEXEC is always added.
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
   * Gives the socket its address: bind(2).
   * @param address `port` 0 takes any free one (ask `localAddress` which). `host` is 127.0.0.1 unless said:
   *   only this machine. "" or "0.0.0.0" means every interface: anybody on the network can then connect.
   * @throws SyscallError EADDRINUSE, EACCES, EADDRNOTAVAIL
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
   * Starts to take connections: listen(2). From now on the kernel completes handshakes by itself, and keeps the
   * connections until they are accepted.
   * @param backlog how many may wait to be accepted; the kernel caps it at net.core.somaxconn (by default 4096)
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
   * Chooses what a call does that cannot go on: wait (blocking, as every socket is at birth), or say so at once:
   * fcntl(2) with O_NONBLOCK. Two calls: the flags are read, then set.
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
   * Takes the next connection that waits: accept4(2). A blocking listener waits for one.
   *
   * The client is a socket of its own, and **blocking, whatever the listener is**: on Linux accept does not
   * inherit O_NONBLOCK (accept(2)). Call `client.setBlocking(false)`, or pass SOCK_NONBLOCK here.
   * @returns null when nobody waits (would block)
   * @throws SyscallError EMFILE when no more descriptors may be opened (the client goes on waiting);
   *   ECONNABORTED when the connection was aborted; one that was merely reset Linux still gives, and recv throws
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
   * Connects to a listener: connect(2). A blocking socket waits until the handshake is done.
   * @param address `host` is 127.0.0.1 unless said
   * @returns true: connected. false: in progress (only on a non-blocking socket); when it becomes writable,
   *   `getOption(SOL_SOCKET, SO_ERROR)` is 0 if it succeeded, else the errno.
   * @throws SyscallError ECONNREFUSED, ETIMEDOUT, …
   */
  connect(address: { host?: string; port: number }): boolean {
    const fd = this.#open(this.connect);
    const bytes = encodeAddress(this.connect, this.#family, address);
    const peer = decodeAddress(bytes);
    if (sys.connect(fd, bytes) === -1) {
      let errno = sys.errno;
      // A handshake goes on after a signal; to call connect again would only answer EALREADY. So wait as it would have.
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
   * Takes bytes that have come: recv(2). As many as there are, at most `size`: TCP is a stream and knows no
   * messages. A blocking socket waits for the first byte.
   * @param size at most so many bytes (octets, not characters), 1 to 16777216
   * @param flags MSG_PEEK, MSG_DONTWAIT, …
   * @returns the bytes, yours to keep; empty (`length` 0): the peer has closed its side, nothing will come any
   *   more; null: nothing has come yet (would block)
   * @throws SyscallError ECONNRESET when the peer has thrown the connection away
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
   * As `recv`, but into memory of yours: recv(2) without a new Buffer for each call.
   * @returns how many bytes came; 0: the end of the stream; null: would block
   */
  recvInto(into: Uint8Array, flags = 0): number | null {
    if (this.fd === -1) throw this.#gone(this.recvInto);
    if (!(into instanceof Uint8Array)) {
      throw misuse(this.recvInto, `takes a Buffer or Uint8Array to fill, not ${shown(into)}.`);
    }
    if (into.length === 0) {
      throw misuse(
        this.recvInto,
        "takes a buffer with room in it: with none, nothing looks like the end of the stream.",
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
   * Hands bytes to the kernel: send(2). It may take only some of them, when its send buffer is nearly full: look
   * at the answer, and send the rest later. A blocking socket waits until it has taken all.
   * @param bytes a string is sent as UTF-8, and the answer counts octets, not characters: "你" is three
   * @returns how many bytes the kernel took; null: none, the send buffer is full (would block)
   * @throws SyscallError EPIPE, ECONNRESET when nobody is there any more
   */
  send(bytes: Uint8Array | string, flags = 0): number | null {
    if (this.fd === -1) throw this.#gone(this.send);
    const out = bytesOf(this.send, bytes);
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
   * Ends one direction, or both, and keeps the descriptor: shutdown(2).
   * @param how "write": nothing more will be sent, the peer's recv reaches the end of the stream; "read": nothing
   *   more will be received; "both"
   * @throws SyscallError ENOTCONN when it is not connected (any more)
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
   * Gives the descriptor back: close(2). The kernel may give the same number to the very next socket. If bytes
   * were waiting that nobody received, the peer gets a reset (RST) instead of an orderly end (FIN).
   *
   * To close twice is harmless. EINTR is no reason to try again: on Linux the descriptor is gone.
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
   * Sets an option: setsockopt(2).
   * @param level SOL_SOCKET, IPPROTO_TCP, …
   * @param option SO_REUSEADDR, TCP_NODELAY, …
   * @param value a number (or true, false) for the many that take an int; memory for those that take a struct:
   *   `setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]))`
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
   * Reads an option: getsockopt(2).
   * @param size for an option that is a struct: how many bytes to make room for
   * @returns the int, or with `size` the bytes that the kernel filled
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

  /** The address of this end: getsockname(2). After `bind({ port: 0 })` it tells which port it became. */
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
   * @throws SyscallError ENOTCONN when it is not connected (any more)
   */
  peerAddress(): Address {
    const fd = this.#open(this.peerAddress);
    if (sys.getpeername(fd, sockaddr, length) === -1) {
      throw failed(this.peerAddress, "getpeername", `peerAddress(fd ${fd})`, sys.errno);
    }
    this.#peer = decodeAddress(sockaddr);
    return { ...this.#peer };
  }

  /** As `console.log` shows it: <Socket fd=7 peer=127.0.0.1:51322>. No system call is made for it. */
  [inspect.custom](): string {
    if (this.fd === -1) return `<Socket closed, was fd=${this.#was}>`;
    const words = [`fd=${this.fd}`];
    if (this.#listening && this.#local) words.push(`listening on ${formatAddress(this.#local)}`);
    else if (this.#peer) words.push(`peer=${formatAddress(this.#peer)}`);
    else if (this.#local) words.push(`local=${formatAddress(this.#local)}`);
    return `<Socket ${words.join(" ")}>`;
  }

  /** The descriptor, if there still is one. */
  #open(called: Called): number {
    if (this.fd === -1) throw this.#gone(called);
    return this.fd;
  }

  #gone(called: Called): Error {
    const call = `${called.name} on a closed socket`;
    const hint = `This socket was closed; fd ${this.#was} may belong to somebody else by now.`;
    return failed(called, called.name, call, EBADF, hint);
  }

  /** Waits for the end of a handshake that a signal interrupted. 0 or an errno. */
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
