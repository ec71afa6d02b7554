// System call errors. A sentence for each failure: the call with its arguments, the kernel's error, and what to look at
// next. "Would block" and the end of a stream are return values, and not errors.
import * as e from "../sys/errno.ts";
import { strerror } from "../sys/libc.ts";

/**
 * The error of a system call that failed. Compare `code`, as in `error.code === "EMFILE"`. "Would block" (EAGAIN) and the
 * end of a stream are return values and never thrown. See errno(3).
 */
export class SyscallError extends Error {
  /** The name of the system call: "bind". */
  readonly syscall: string;
  /** The error's number, positive as in C: 98. See errno(3). */
  readonly errno: number;
  /** The error's name: "EADDRINUSE". See errno(3). */
  readonly code: string;

  constructor(syscall: string, shownCall: string, errno: number, hint: string = hintFor(syscall, errno)) {
    const code = e.errnoName(errno);
    super(`${shownCall}: ${code}, ${strerror(errno).toLowerCase()}.${hint && ` ${hint}`}`);
    this.name = "SyscallError";
    this.syscall = syscall;
    this.errno = errno;
    this.code = code;
  }
}

/**
 * Makes a SyscallError whose stack begins at the student's own line.
 * @param called the public method that the student called
 */
export function failed(
  called: unknown,
  syscall: string,
  shownCall: string,
  errno: number,
  hint?: string,
): SyscallError {
  const error = new SyscallError(syscall, shownCall, errno, hint);
  Error.captureStackTrace(error, called as () => unknown);
  return error;
}

type Hints = Record<number, string>;

/** Errors of a handshake: connect returns them, and for a non-blocking socket getsockopt does. */
const handshake: Hints = {
  [e.ECONNREFUSED]: "No socket listens on this address and port. Check that the server is running there.",
  [e.EISCONN]: "This socket is connected already. Make a new socket for another connection.",
  [e.ETIMEDOUT]: "The other host did not answer: it is down, or a firewall drops the packets.",
  [e.EADDRNOTAVAIL]:
    "This machine has no free local port for another connection to that address. See ip_local_port_range in ip(7).",
  [e.ECONNABORTED]:
    "The last connect of this socket has failed, so the socket cannot be used again. Close it, and make a new socket.",
  [e.ENETUNREACH]: "This machine has no route to that address. Look with `ip route`.",
};

/** The cause of an error and the next step, by system call; "" holds the hints for every call. */
const hints: Record<string, Hints> = {
  bind: {
    [e.EADDRINUSE]:
      "Another socket uses this port: another server, or connections of an earlier run of this server that are still in TIME_WAIT. Look with `ss -tanp`; against TIME_WAIT set SO_REUSEADDR before bind (the earlier run must have set it too).",
    [e.EACCES]: "Only root may bind ports below 1024. Choose a higher port.",
    [e.EADDRNOTAVAIL]: "No network interface of this machine has this address. Look with `ip address`.",
    [e.EINVAL]: "A socket can be bound only once, and this socket may be bound already.",
  },
  listen: { [e.EADDRINUSE]: "Another socket listens on this port. Look with `ss -tlnp`." },
  accept4: {
    [e.EINVAL]: "This socket does not listen. Call bind, then listen, before accept.",
    [e.ECONNABORTED]:
      "The client ended the connection before it was accepted. The server has made no mistake: accept the next client.",
  },
  connect: handshake,
  getsockopt: handshake,
  send: {
    [e.EPIPE]:
      "The connection can send no more bytes: the peer has reset it, or this program has shut it down. Close the socket.",
    [e.ENOTCONN]:
      "This socket is not connected: call send on the client that accept returned, and not on the listener.",
  },
  recv: {
    [e.ENOTCONN]:
      "This socket is not connected: call recv on the client that accept returned, and not on the listener.",
  },
  setsockopt: {
    [e.EDOM]:
      "The microseconds of a struct timeval must be less than a million: put whole seconds into the field before.",
  },
  shutdown: { [e.ENOTCONN]: "The socket is not connected: the peer may have reset the connection." },
  epoll_ctl: {
    [e.EEXIST]: "The descriptor is registered already: change its events with modify.",
    [e.ENOENT]:
      "What this descriptor refers to now is not registered: call register first. Closing a descriptor unregisters it only when no other descriptor, perhaps of a child process, refers to the same open file: see epoll(7).",
    [e.EPERM]:
      "epoll cannot watch this kind of file: regular files and directories are always ready, so there is nothing to wait for.",
    [e.ELOOP]: "Epoll instances cannot watch each other in a circle, nor in a chain of more than five.",
    [e.EINVAL]:
      "An epoll instance cannot watch itself, and EPOLLEXCLUSIVE goes with EPOLLIN, EPOLLOUT, EPOLLET and EPOLLWAKEUP only: not with EPOLLONESHOT or EPOLLRDHUP, not in modify(), and what was registered with it cannot be modified.",
  },
  poll: { [e.EINVAL]: "The list is longer than RLIMIT_NOFILE allows." },
  "": {
    [e.EBADF]: "This descriptor is not open. It may have been closed.",
    [e.EMFILE]:
      "This process has opened as many descriptors as it may (RLIMIT_NOFILE). Close descriptors that are no longer needed; look at /proc/<pid>/fd.",
    [e.ENFILE]: "The whole machine has opened as many files as it may (fs.file-max).",
    [e.ECONNRESET]:
      "The peer has reset the connection (RST). Close this socket; the connections of other clients go on.",
    [e.ENOTSOCK]: "This descriptor is not a socket.",
    [e.EINTR]: "A signal interrupted the call. Call it again.",
    [e.ENOBUFS]: "The kernel has no memory for this call now. Wait, and try again later.",
    [e.ENOMEM]: "The kernel has no memory for this call now. Wait, and try again later.",
    [e.EPERM]: "This process is not permitted to do that.",
  },
};

function hintFor(syscall: string, errno: number): string {
  return hints[syscall]?.[errno] ?? hints[""]?.[errno] ?? `See ${syscall}(2).`;
}
