// Runtime. What students' programs import, for checks and clients that make the same calls.
export {
  AF_INET,
  AF_INET6,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  IPPROTO_TCP,
  POLLOUT,
  poll,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
  TCP_INFO,
  TCP_QUICKACK,
} from "./runtime/net.ts";
export { installSynchronousOutput } from "./runtime/process/stdio.ts";
export { MSG_DONTWAIT, MSG_NOSIGNAL, RLIMIT_NOFILE } from "./runtime/sys/constants.ts";
export { EAGAIN, errnoName } from "./runtime/sys/errno.ts";
export { epollDataOffset, epollEventBytes, lastErrno, native } from "./runtime/sys/libc.ts";
export { watch } from "./runtime/sys/native-call.ts";
