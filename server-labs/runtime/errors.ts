// What went wrong, as a sentence: the call with its arguments, what the kernel answered, and what to look at next.
// "Not yet" (would block) and "no more" (end of stream) are values; they never get here.
import * as e from "./errno.ts";
import { strerror } from "./libc.ts";

/** A system call failed with something that is not an everyday answer. `code` is what to compare with. */
export class SyscallError extends Error {
  /** The system call: "bind". */
  readonly syscall: string;
  /** The kernel's number for the error, positive as in C: 98. See errno(3). */
  readonly errno: number;
  /** Its name: "EADDRINUSE". */
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
 * A SyscallError whose stack begins where the student called us.
 * @param called the public method
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

/** What to look at when this call fails so; the general answer stands under "". */
const hints: Record<string, Hints> = {
  bind: {
    [e.EADDRINUSE]:
      "Somebody has this port: another server, or an earlier run of this one whose connections linger in TIME_WAIT. Look with `ss -tanp`; against TIME_WAIT set SO_REUSEADDR before bind (Linux wants it from the earlier run, too).",
    [e.EACCES]: "Ports below 1024 belong to root. Take a higher one.",
    [e.EADDRNOTAVAIL]: "No interface of this machine has that address. Look with `ip address`.",
    [e.EINVAL]: "Is the socket bound already? A socket can be bound once.",
  },
  listen: { [e.EADDRINUSE]: "Another socket listens on this port. Look with `ss -tlnp`." },
  accept4: {
    [e.EINVAL]: "This socket does not listen. Call bind, then listen, before accept.",
    [e.ECONNABORTED]:
      "The client was gone before it was accepted. That is nothing of yours: go on and accept the next.",
  },
  connect: {
    [e.ECONNREFUSED]: "Nobody listens there. Is the server running, on this port and this address?",
    [e.EISCONN]: "This socket is connected already. For another connection make another socket.",
    [e.ETIMEDOUT]: "Nobody answered. The host is away, or something drops the packets.",
    [e.EADDRNOTAVAIL]:
      "No free local port is left for another connection to that address. See ip_local_port_range in ip(7).",
  },
  send: {
    [e.EPIPE]:
      "This connection cannot be written to any more: the peer reset it, or you shut it down. Close it.",
    [e.ENOTCONN]:
      "This socket is connected to nobody: send on the client that accept gave, not on the listener.",
  },
  recv: {
    [e.ENOTCONN]:
      "This socket is connected to nobody: receive on the client that accept gave, not on the listener.",
  },
  setsockopt: {
    [e.EDOM]:
      "A time-out has less than a million microseconds: whole seconds belong into the number before them.",
  },
  shutdown: { [e.ENOTCONN]: "It is not connected (any more): the peer may have reset it." },
  epoll_ctl: {
    [e.EEXIST]: "It is registered already: change what it is watched for with modify.",
    [e.ENOENT]: "It is not registered: register it first. (Closing a descriptor unregisters it.)",
    [e.EPERM]:
      "epoll cannot watch this kind of file: regular files and directories are always ready, so there is nothing to wait for.",
    [e.ELOOP]: "Epolls cannot watch each other in a circle, nor in a chain of more than five.",
    [e.EINVAL]: "An epoll cannot watch itself, and EPOLLEXCLUSIVE allows no modify.",
  },
  poll: { [e.EINVAL]: "More descriptors than RLIMIT_NOFILE allows." },
  "": {
    [e.EBADF]: "No such descriptor is open: was it closed?",
    [e.EMFILE]:
      "This process has as many descriptors open as it may (RLIMIT_NOFILE). Close those that are done with; look at /proc/<pid>/fd.",
    [e.ENFILE]: "The whole machine has as many files open as it may (fs.file-max).",
    [e.ECONNRESET]:
      "The peer has thrown the connection away (RST). Close this socket; other clients are not touched.",
    [e.ENOTSOCK]: "This descriptor is no socket.",
    [e.EINTR]: "A signal came while it waited. Call it again.",
    [e.ENOBUFS]: "The kernel has no memory for it now. Back off, and try again later.",
    [e.ENOMEM]: "The kernel has no memory for it now. Back off, and try again later.",
    [e.EPERM]: "This process may not do that.",
  },
};

function hintFor(syscall: string, errno: number): string {
  return hints[syscall]?.[errno] ?? hints[""]?.[errno] ?? `See ${syscall}(2).`;
}
