// System calls. One function for each: numbers and bytes in, what the kernel returned out; -1 means that `errno` says
// why. Arguments are believed: the caller has checked them.

import { callIndex } from "../../protocol/calls.ts";
import { layout, preview } from "../../trace/layout.ts";
import { beforeClose } from "./before-close.ts";
import { SOCK_NONBLOCK } from "./constants.ts";
import { epollDataOffset, epollEventBytes, native, pollFdBytes } from "./libc.ts";
import { anew, enter, flagged, leave, notifyReader, sleeps, watched } from "./native-call.ts";

export { errno } from "./native-call.ts";

// ---------------------------------------------------------------------------------------------- sockets

const SOCKET = callIndex("socket");
/** socket(2) */
export function socket(domain: number, type: number, protocol: number): number {
  enter(SOCKET, false, domain, type, protocol);
  return anew(leave(native.socket(domain, type, protocol)), type);
}

const BIND = callIndex("bind");
/** bind(2); `address` is a struct sockaddr. */
export function bind(fd: number, address: Uint8Array): number {
  enter(BIND, false, fd, 0, address.length, 0, preview.address, address, address.length);
  return leave(native.bind(fd, address, address.length));
}

const LISTEN = callIndex("listen");
/** listen(2) */
export function listen(fd: number, backlog: number): number {
  enter(LISTEN, false, fd, backlog);
  const result = leave(native.listen(fd, backlog));
  notifyReader();
  return result;
}

const ACCEPT4 = callIndex("accept4");
/** accept4(2); the peer's struct sockaddr is written to `address`, and its length to `length`. */
export function accept4(fd: number, address: Uint8Array, length: Uint32Array, flags: number): number {
  enter(ACCEPT4, sleeps(fd), fd, 0, 0, flags);
  length[0] = address.length;
  const client = native.accept4(fd, address, length, flags);
  return anew(leave(client, preview.address, address, client === -1 ? 0 : length[0]), flags);
}

const CONNECT = callIndex("connect");
/** connect(2) */
export function connect(fd: number, address: Uint8Array): number {
  enter(CONNECT, sleeps(fd), fd, 0, address.length, 0, preview.address, address, address.length);
  return leave(native.connect(fd, address, address.length));
}

const RECV = callIndex("recv");
/** recv(2) */
export function recv(fd: number, into: Uint8Array, size: number, flags: number): number {
  enter(RECV, sleeps(fd, flags), fd, 0, size, flags);
  const got = native.recv(fd, into, size, flags);
  return leave(got, preview.bytes, into, got);
}

const SEND = callIndex("send");
/** send(2) */
export function send(fd: number, bytes: Uint8Array, size: number, flags: number): number {
  enter(SEND, sleeps(fd, flags), fd, 0, size, flags, preview.bytes, bytes, size);
  return leave(native.send(fd, bytes, size, flags));
}

const SHUTDOWN = callIndex("shutdown");
/** shutdown(2) */
export function shutdown(fd: number, how: number): number {
  enter(SHUTDOWN, false, fd, how);
  return leave(native.shutdown(fd, how));
}

const SETSOCKOPT = callIndex("setsockopt");
/** setsockopt(2) */
export function setsockopt(fd: number, level: number, option: number, value: Uint8Array): number {
  enter(
    SETSOCKOPT,
    false,
    fd,
    level,
    option,
    value.length === 4 ? new DataView(value.buffer, value.byteOffset).getInt32(0, true) : 0,
    preview.bytes,
    value,
    value.length,
  );
  return leave(native.setsockopt(fd, level, option, value, value.length));
}

const GETSOCKOPT = callIndex("getsockopt");
/** getsockopt(2); `length` holds how much room there is, then how much was filled. */
export function getsockopt(
  fd: number,
  level: number,
  option: number,
  value: Uint8Array,
  length: Uint32Array,
): number {
  enter(GETSOCKOPT, false, fd, level, option);
  const result = native.getsockopt(fd, level, option, value, length);
  return leave(result, preview.bytes, value, result === -1 ? 0 : length[0]);
}

const GETSOCKNAME = callIndex("getsockname");
/** getsockname(2); as accept4 writes the address. */
export function getsockname(fd: number, address: Uint8Array, length: Uint32Array): number {
  enter(GETSOCKNAME, false, fd);
  length[0] = address.length;
  const result = native.getsockname(fd, address, length);
  return leave(result, preview.address, address, result === -1 ? 0 : length[0]);
}

const GETPEERNAME = callIndex("getpeername");
/** getpeername(2); as accept4 writes the address. */
export function getpeername(fd: number, address: Uint8Array, length: Uint32Array): number {
  enter(GETPEERNAME, false, fd);
  length[0] = address.length;
  const result = native.getpeername(fd, address, length);
  return leave(result, preview.address, address, result === -1 ? 0 : length[0]);
}

// ------------------------------------------------------------------------------------- any descriptor

const READ = callIndex("read");
/** read(2) */
export function read(fd: number, into: Uint8Array, size: number): number {
  enter(READ, sleeps(fd), fd, 0, size);
  const got = native.read(fd, into, size);
  return leave(got, preview.bytes, into, got);
}

const WRITE = callIndex("write");
/** write(2) */
export function write(fd: number, bytes: Uint8Array, size: number): number {
  enter(WRITE, sleeps(fd), fd, 0, size, 0, preview.bytes, bytes, size);
  return leave(native.write(fd, bytes, size));
}

const CLOSE = callIndex("close");
/** close(2). Whatever it returns, the descriptor is gone. */
export function close(fd: number): number {
  for (const tell of beforeClose) tell(fd);
  enter(CLOSE, false, fd);
  anew(fd, 0);
  return leave(native.close(fd));
}

const DUP = callIndex("dup");
/** dup(2). O_NONBLOCK belongs to the open file: the copy has it when `fd` has it. */
export function dup(fd: number): number {
  enter(DUP, false, fd);
  return anew(leave(native.dup(fd)), sleeps(fd) ? 0 : SOCK_NONBLOCK);
}

const FCNTL = callIndex("fcntl");
const F_SETFL = 4;
/** fcntl(2), for the commands whose argument is an int. */
export function fcntl(fd: number, command: number, argument: number): number {
  enter(FCNTL, false, fd, command, argument);
  const result = leave(native.fcntl(fd, command, "int", argument));
  if (command === F_SETFL && result === 0) flagged(fd, argument);
  return result;
}

const EVENTFD = callIndex("eventfd");
/** eventfd(2) */
export function eventfd(initial: number, flags: number): number {
  enter(EVENTFD, false, initial, flags);
  return anew(leave(native.eventfd(initial, flags)), flags);
}

const PIPE2 = callIndex("pipe2");
/** pipe2(2); the two descriptors are written to `pair`: the end to read from, and the end to write to. */
export function pipe2(pair: Int32Array, flags: number): number {
  enter(PIPE2, false, 0, flags);
  return newPair(native.pipe2(pair, flags), pair, flags);
}

const SOCKETPAIR = callIndex("socketpair");
/** socketpair(2); the two descriptors are written to `pair`. */
export function socketpair(domain: number, type: number, protocol: number, pair: Int32Array): number {
  enter(SOCKETPAIR, false, domain, type, protocol);
  return newPair(native.socketpair(domain, type, protocol, pair), pair, type);
}

function newPair(returned: number, pair: Int32Array, flags: number): number {
  const bytes = new Uint8Array(pair.buffer, pair.byteOffset, returned === -1 ? 0 : 8);
  const result = leave(returned, preview.bytes, bytes, bytes.length);
  if (result !== -1) for (const fd of pair) anew(fd, flags);
  return result;
}

// ---------------------------------------------------------------------------------------------- signals

const SIGPROCMASK = callIndex("sigprocmask");
/** sigprocmask(2) of the thread that calls it; `set` is a sigset_t. */
export function sigprocmask(how: number, set: Uint8Array): number {
  enter(SIGPROCMASK, false, how, firstSignals(set));
  return leave(native.sigprocmask(how, set, null));
}

const SIGNALFD = callIndex("signalfd");
/** signalfd(2); `set` is a sigset_t. */
export function signalfd(fd: number, set: Uint8Array, flags: number): number {
  enter(SIGNALFD, false, fd, firstSignals(set), flags);
  return anew(leave(native.signalfd(fd, set, flags)), flags);
}

/** Signals 1 to 32 of a sigset_t, as the trace shows them. */
const firstSignals = (set: Uint8Array) => set[0]! | (set[1]! << 8) | (set[2]! << 16) | (set[3]! << 24);

// --------------------------------------------------------------------------------------------- waiting

const POLL = callIndex("poll");
/** poll(2) of the first `count` struct pollfd in `fds`. */
export function poll(fds: Uint8Array, count: number, timeoutMs: number): number {
  const bytes = count * pollFdBytes;
  enter(POLL, timeoutMs !== 0, 0, count, timeoutMs, 0, preview.pollFds, fds, bytes);
  return leave(native.poll(fds, count, timeoutMs), preview.pollFds, fds, bytes);
}

const EPOLL_CREATE1 = callIndex("epoll_create1");
/** epoll_create1(2) */
export function epollCreate1(flags: number): number {
  enter(EPOLL_CREATE1, false, flags);
  return anew(leave(native.epoll_create1(flags)), 0);
}

const EPOLL_CTL = callIndex("epoll_ctl");
const event = new Uint8Array(epollEventBytes);
const eventView = new DataView(event.buffer);
/** epoll_ctl(2), with the descriptor itself as the event's data. */
export function epollCtl(epfd: number, operation: number, fd: number, events: number): number {
  eventView.setUint32(0, events, true);
  eventView.setInt32(epollDataOffset, fd, true);
  enter(EPOLL_CTL, false, epfd, operation, fd, events | 0);
  return leave(native.epoll_ctl(epfd, operation, fd, event));
}

const EPOLL_WAIT = callIndex("epoll_wait");
/** epoll_wait(2); `events` has room for `most` struct epoll_event. */
export function epollWait(epfd: number, events: Uint8Array, most: number, timeoutMs: number): number {
  enter(EPOLL_WAIT, timeoutMs !== 0, epfd, 0, most, timeoutMs);
  const ready = native.epoll_wait(epfd, events, most, timeoutMs);
  // -1 goes straight to leave(), which reads errno.
  return leave(ready, preview.epollEvents, pairs, ready > 0 && watched() ? pair(events, ready) : 0);
}

const shownPairs = Math.floor(layout.previewBytes / 8);
const pairs = new Uint8Array(8 * shownPairs);
const pairWords = new Int32Array(pairs.buffer);
/** The first events as the trace holds them on every machine: i32 fd, u32 events. How many bytes of `pairs`. */
function pair(events: Uint8Array, count: number): number {
  const shown = Math.min(count, shownPairs);
  for (let i = 0, from = 0; i < shown; i++, from += epollEventBytes) {
    const data = from + epollDataOffset;
    pairWords[2 * i] =
      events[data]! | (events[data + 1]! << 8) | (events[data + 2]! << 16) | (events[data + 3]! << 24);
    pairWords[2 * i + 1] =
      events[from]! | (events[from + 1]! << 8) | (events[from + 2]! << 16) | (events[from + 3]! << 24);
  }
  return 8 * shown;
}

const NANOSLEEP = callIndex("nanosleep");
const request = new BigInt64Array(2);
/** nanosleep(2); what is left after EINTR is written to `remaining` as seconds and nanoseconds. */
export function nanosleep(seconds: number, nanoseconds: number, remaining: BigInt64Array): number {
  request[0] = BigInt(seconds);
  request[1] = BigInt(nanoseconds);
  enter(NANOSLEEP, true, seconds, nanoseconds);
  return leave(native.nanosleep(request, remaining));
}

// ------------------------------------------------------------------------------------------- the process

const GETRLIMIT = callIndex("getrlimit");
/** getrlimit(2); `limit` is filled with the soft and the hard limit. */
export function getrlimit(resource: number, limit: BigUint64Array): number {
  enter(GETRLIMIT, false, resource);
  return leave(native.getrlimit(resource, limit));
}

const SETRLIMIT = callIndex("setrlimit");
/** setrlimit(2); `limit` holds the soft and the hard limit. */
export function setrlimit(resource: number, limit: BigUint64Array): number {
  enter(
    SETRLIMIT,
    false,
    resource,
    Number(BigInt.asIntN(32, limit[0]!)),
    Number(BigInt.asIntN(32, limit[1]!)),
  );
  return leave(native.setrlimit(resource, limit));
}

const PRCTL = callIndex("prctl");
/** prctl(2) with one argument. */
export function prctl(option: number, argument: number): number {
  enter(PRCTL, false, option, argument);
  return leave(native.prctl(option, argument, 0, 0, 0));
}
