// The numbers of errno, as this Linux has them.
import { constants } from "node:os";

export const {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EDOM,
  EEXIST,
  EINPROGRESS,
  EINTR,
  EINVAL,
  EISCONN,
  ELOOP,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOENT,
  ENOMEM,
  ENOTCONN,
  ENOTSOCK,
  EPERM,
  EPIPE,
  ETIMEDOUT,
} = constants.errno;

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
// Two names for one number on Linux; the course and strace say EAGAIN and EOPNOTSUPP.
names.set(constants.errno.EAGAIN, "EAGAIN");
names.set(constants.errno.EOPNOTSUPP, "EOPNOTSUPP");

/** The name of an errno: 11 → "EAGAIN". */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}
