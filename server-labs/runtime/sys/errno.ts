// errno. The numbers of errors on this Linux, and their names. See errno(3).
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
  ENETUNREACH,
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

export { errnoName } from "../../protocol/calls.ts";
