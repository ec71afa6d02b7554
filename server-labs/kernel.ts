// Kernel. What /proc says of a program's sockets, epoll instances and processes, sampled while a reader wants it.
export { KernelCalls } from "./kernel/calls.ts";
export { isNonblocking, socketInode } from "./kernel/descriptors.ts";
export { KernelOfRun, type KernelWatch } from "./kernel/kernel-of-run.ts";
export {
  freePort,
  type Holder,
  holderAmong,
  holderOf,
  isFree,
  type ListeningSocket,
  listenersOn,
  listeningOn,
  listensItself,
  untilFree,
} from "./kernel/ports.ts";
export { type TcpSocket, TcpTable, tcpStates } from "./kernel/tables.ts";
