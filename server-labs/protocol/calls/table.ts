// Table of calls. Every traced system call, one row each: what people read of it, how its arguments are decoded and
// written, and what it does to descriptors. A new call is one row here, at the end, and one function in
// runtime/sys/syscalls.ts. Nothing else names calls in a list: what else is needed is derived from the rows.
import * as names from "./names.ts";

/** What a descriptor is. "socket": neither listening nor connected, as far as the calls show. */
export type DescriptorKind = "socket" | "listener" | "connection" | "epoll" | "eventfd" | "signalfd" | "pipe";

/**
 * How the value of one parameter is decoded from a record and written in notation. The value of parameter i is the
 * record's argument i, unless it is in the record's preview bytes.
 */
export type Parameter =
  | { is: "fd" | "int" | "size" }
  /** Milliseconds until a wait ends by itself; -1: never. */
  | { is: "timeout" }
  /** How many entries the set before it has. */
  | { is: "count" }
  /** A number with one name. `unlessZero`: 0 is the usual value, and not written. */
  | { is: "name"; of: names.Names; unlessZero?: boolean }
  /** Bits, each with a name; those under `low` are one number with one name. */
  | { is: "flags"; of: names.Names; unlessZero?: boolean; low?: { mask: number; of: names.Names } }
  /** The meaning depends on the value of another parameter, by its place. */
  | { is: "depends"; on: number; cases: Readonly<Record<number, Parameter>>; otherwise: Parameter }
  /** Data: of a call that moves bytes in what arrived, of one that moves bytes out what was offered. */
  | { is: "bytes" }
  | { is: "address" }
  | { is: "events" }
  | { is: "polls" }
  /** The value of a socket option, whose level and name are the two parameters before it. */
  | { is: "option" }
  /** struct timespec, from two arguments of the record: seconds, nanoseconds. Its value is a number of seconds. */
  | { is: "seconds" }
  /** Two new descriptors, in an array that the call fills. */
  | { is: "pair" }
  /** A set of signals: bit n - 1 of the number is signal n. */
  | { is: "signals" }
  /** struct rlimit, from the record's arguments 1 and 2. */
  | { is: "limit" }
  /** A pointer, or a length of another parameter: it says nothing, is null and is not written. */
  | { is: "hidden" };

export interface CallRow {
  /** Its man page: "accept(2)". */
  man: string;
  /** What it does, in the words of that page. */
  summary: string;
  /** As the page declares it. */
  signature: string;
  /** In C order. */
  parameters: readonly Parameter[];
  /** What it returns is a new descriptor, of this kind. */
  opens?: DescriptorKind;
  /** That new descriptor leads to the same open file as its argument does, and is of the same kind where that is known. */
  copies?: true;
  /** It makes two new descriptors of this kind, which its parameter "pair" has. */
  opensTwo?: DescriptorKind;
  /** Its descriptor is closed after it. */
  closes?: true;
  /** It moves bytes into or out of the program, and leaves every descriptor what it was. */
  moves?: "in" | "out";
  /** When it has not failed, its descriptor is of this kind. */
  shows?: DescriptorKind;
  /** The address that it carries is this end of its descriptor, or of the one that it opens. */
  address?: "local" | "peer";
  /** When it may sleep: while its descriptor is not ready, until its timeout is over, or always. */
  sleeps?: "unready" | "timeout" | "always";
  /** For readers: when it waits, and what happens on a non-blocking descriptor. Left out where it does not wait. */
  waits?: string;
}

const fd: Parameter = { is: "fd" };
const int: Parameter = { is: "int" };
const size: Parameter = { is: "size" };
const bytes: Parameter = { is: "bytes" };
const address: Parameter = { is: "address" };
const timeout: Parameter = { is: "timeout" };
const hidden: Parameter = { is: "hidden" };
const name = (of: names.Names): Parameter => ({ is: "name", of });
const flags = (of: names.Names): Parameter => ({ is: "flags", of });
const messageFlags: Parameter = { is: "flags", of: names.messageFlags, unlessZero: true };
const optionName: Parameter = {
  is: "depends",
  on: 1,
  cases: Object.fromEntries(Object.entries(names.options).map(([level, of]) => [level, name(of)])),
  otherwise: int,
};

const rows = {
  "?": {
    man: "",
    summary: "a call that the trace does not know",
    signature: "",
    parameters: [int, int, int, int],
  },
  socket: {
    man: "socket(2)",
    summary: "create an endpoint for communication",
    signature: "int socket(int domain, int type, int protocol)",
    parameters: [
      name(names.families),
      { is: "flags", of: names.socketFlags, low: { mask: 0xff, of: names.socketTypes } },
      { is: "name", of: names.protocols, unlessZero: true },
    ],
    opens: "socket",
  },
  bind: {
    man: "bind(2)",
    summary: "bind a name to a socket",
    signature: "int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)",
    parameters: [fd, address, hidden],
    address: "local",
  },
  listen: {
    man: "listen(2)",
    summary: "listen for connections on a socket",
    signature: "int listen(int sockfd, int backlog)",
    parameters: [fd, int],
    shows: "listener",
  },
  accept4: {
    man: "accept(2)",
    summary: "accept a connection on a socket",
    signature: "int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags)",
    parameters: [fd, address, hidden, flags(names.socketFlags)],
    opens: "connection",
    shows: "listener",
    sleeps: "unready",
    address: "peer",
    waits: "While the accept queue is empty. On a non-blocking listener it fails with EAGAIN instead.",
  },
  connect: {
    man: "connect(2)",
    summary: "initiate a connection on a socket",
    signature: "int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)",
    parameters: [fd, address, hidden],
    shows: "connection",
    sleeps: "unready",
    address: "peer",
    waits:
      "Until the handshake is complete. On a non-blocking socket it fails with EINPROGRESS, and the handshake goes on.",
  },
  recv: {
    man: "recv(2)",
    summary: "receive a message from a socket",
    signature: "ssize_t recv(int sockfd, void *buf, size_t len, int flags)",
    parameters: [fd, bytes, size, messageFlags],
    moves: "in",
    sleeps: "unready",
    waits:
      "Until a byte has come or the stream has ended. On a non-blocking socket it fails with EAGAIN instead.",
  },
  send: {
    man: "send(2)",
    summary: "send a message on a socket",
    signature: "ssize_t send(int sockfd, const void *buf, size_t len, int flags)",
    parameters: [fd, bytes, size, messageFlags],
    moves: "out",
    sleeps: "unready",
    waits:
      "Until the send buffer has taken all bytes. On a non-blocking socket it takes what fits, and fails with EAGAIN when it is full.",
  },
  read: {
    man: "read(2)",
    summary: "read from a file descriptor",
    signature: "ssize_t read(int fd, void *buf, size_t count)",
    parameters: [fd, bytes, size],
    moves: "in",
    sleeps: "unready",
    waits:
      "Until something has come. On a non-blocking pipe or socket it fails with EAGAIN instead. A file on a disk ignores O_NONBLOCK.",
  },
  write: {
    man: "write(2)",
    summary: "write to a file descriptor",
    signature: "ssize_t write(int fd, const void *buf, size_t count)",
    parameters: [fd, bytes, size],
    moves: "out",
    sleeps: "unready",
    waits:
      "Until all bytes are taken. On a non-blocking pipe or socket it fails with EAGAIN instead. A file on a disk ignores O_NONBLOCK.",
  },
  shutdown: {
    man: "shutdown(2)",
    summary: "shut down part of a full-duplex connection",
    signature: "int shutdown(int sockfd, int how)",
    parameters: [fd, name(names.shutdownHow)],
  },
  close: {
    man: "close(2)",
    summary: "close a file descriptor",
    signature: "int close(int fd)",
    parameters: [fd],
    closes: true,
    waits: "Only with SO_LINGER: then for the seconds that it names, while bytes are not yet acknowledged.",
  },
  fcntl: {
    man: "fcntl(2)",
    summary: "manipulate file descriptor",
    signature: "int fcntl(int fd, int op, ...)",
    parameters: [
      fd,
      name(names.fcntlCommands),
      // F_GETFD and F_GETFL take no argument; F_SETFL sets the flags of the open file.
      {
        is: "depends",
        on: 1,
        cases: { 1: hidden, 3: hidden, 4: flags(names.fileFlags) },
        otherwise: int,
      },
    ],
  },
  setsockopt: {
    man: "setsockopt(2)",
    summary: "set options on sockets",
    signature: "int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen)",
    parameters: [fd, name(names.levels), optionName, { is: "option" }, hidden],
  },
  getsockopt: {
    man: "getsockopt(2)",
    summary: "get options on sockets",
    signature: "int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen)",
    parameters: [fd, name(names.levels), optionName, { is: "option" }, hidden],
  },
  getsockname: {
    man: "getsockname(2)",
    summary: "get socket name",
    signature: "int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen)",
    parameters: [fd, address, hidden],
    address: "local",
  },
  getpeername: {
    man: "getpeername(2)",
    summary: "get name of connected peer socket",
    signature: "int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen)",
    parameters: [fd, address, hidden],
    address: "peer",
  },
  poll: {
    man: "poll(2)",
    summary: "wait for some event on a file descriptor",
    signature: "int poll(struct pollfd *fds, nfds_t nfds, int timeout)",
    parameters: [{ is: "polls" }, { is: "count" }, timeout],
    sleeps: "timeout",
    waits: "Until a descriptor of the list is ready, or the timeout is over.",
  },
  epoll_create1: {
    man: "epoll_create1(2)",
    summary: "open an epoll file descriptor",
    signature: "int epoll_create1(int flags)",
    parameters: [flags(names.epollFlags)],
    opens: "epoll",
  },
  epoll_ctl: {
    man: "epoll_ctl(2)",
    summary: "control interface for an epoll file descriptor",
    signature: "int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)",
    parameters: [
      fd,
      name(names.epollOperations),
      fd,
      // EPOLL_CTL_DEL needs no event.
      { is: "depends", on: 1, cases: { 2: hidden }, otherwise: flags(names.epollEvents) },
    ],
    shows: "epoll",
  },
  epoll_wait: {
    man: "epoll_wait(2)",
    summary: "wait for an I/O event on an epoll file descriptor",
    signature: "int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)",
    parameters: [fd, { is: "events" }, int, timeout],
    shows: "epoll",
    sleeps: "timeout",
    waits: "Until a descriptor of the interest list is ready, or the timeout is over.",
  },
  eventfd: {
    man: "eventfd(2)",
    summary: "create a file descriptor for event notification",
    signature: "int eventfd(unsigned int initval, int flags)",
    parameters: [int, flags(names.eventfdFlags)],
    opens: "eventfd",
  },
  nanosleep: {
    man: "nanosleep(2)",
    summary: "high-resolution sleep",
    signature: "int nanosleep(const struct timespec *req, struct timespec *rem)",
    parameters: [{ is: "seconds" }, hidden],
    sleeps: "always",
    waits: "Always: until the time is over, or a signal comes.",
  },
  getrlimit: {
    man: "getrlimit(2)",
    summary: "get resource limits",
    signature: "int getrlimit(int resource, struct rlimit *rlim)",
    parameters: [name(names.resources), hidden],
  },
  setrlimit: {
    man: "getrlimit(2)",
    summary: "set resource limits",
    signature: "int setrlimit(int resource, const struct rlimit *rlim)",
    parameters: [name(names.resources), { is: "limit" }],
  },
  prctl: {
    man: "prctl(2)",
    summary: "operations on a process or thread",
    signature: "int prctl(int op, ...)",
    parameters: [name(names.prctlOptions), int],
  },
  pipe2: {
    man: "pipe(2)",
    summary: "create pipe",
    signature: "int pipe2(int pipefd[2], int flags)",
    parameters: [{ is: "pair" }, flags(names.fileFlags)],
    opensTwo: "pipe",
  },
  socketpair: {
    man: "socketpair(2)",
    summary: "create a pair of connected sockets",
    signature: "int socketpair(int domain, int type, int protocol, int sv[2])",
    parameters: [
      name(names.families),
      { is: "flags", of: names.socketFlags, low: { mask: 0xff, of: names.socketTypes } },
      { is: "name", of: names.protocols, unlessZero: true },
      { is: "pair" },
    ],
    opensTwo: "connection",
  },
  sigprocmask: {
    man: "sigprocmask(2)",
    summary: "examine and change blocked signals",
    signature: "int sigprocmask(int how, const sigset_t *set, sigset_t *oldset)",
    parameters: [name(names.maskChanges), { is: "signals" }, hidden],
  },
  signalfd: {
    man: "signalfd(2)",
    summary: "create a file descriptor for accepting signals",
    signature: "int signalfd(int fd, const sigset_t *mask, int flags)",
    parameters: [int, { is: "signals" }, flags(names.signalfdFlags)],
    opens: "signalfd",
  },
  dup: {
    man: "dup(2)",
    summary: "duplicate a file descriptor",
    signature: "int dup(int oldfd)",
    parameters: [fd],
    opens: "socket",
    copies: true,
  },
} as const satisfies Record<string, CallRow>;

export type TracedCall = keyof typeof rows;
/** Every row by its call's name. */
export const callRows: Readonly<Record<TracedCall, CallRow>> = rows;

/** Every traced call by the number that a trace record has for it; 0 is "?", no known call. */
export const tracedCalls = Object.keys(rows) as TracedCall[];
/** The rows in the same order. */
export const rowsByIndex: readonly CallRow[] = tracedCalls.map(call => callRows[call]);

/** The number that a trace record has for a call. */
export const callIndex = (call: TracedCall): number => tracedCalls.indexOf(call);

/** Is it the name of a call that is traced? */
export function isTracedCall(name: string): name is TracedCall {
  return name !== "?" && Object.hasOwn(rows, name);
}

const isFd = ({ is }: Parameter) => is === "fd";

/** By index: is the first argument a descriptor? Then it is the one that the call is called on. */
export const onDescriptor: readonly boolean[] = rowsByIndex.map(({ parameters }) => isFd(parameters[0]!));

/**
 * By index: which argument is the descriptor that the call is about; -1: no descriptor. It is the last descriptor:
 * of an epoll_ctl the one that is watched.
 */
export const aboutArgument: readonly number[] = rowsByIndex.map(({ parameters }) =>
  parameters.findLastIndex(isFd),
);

/** By name: which argument is the timeout of a call that waits for something to become ready; undefined: it does not. */
export function timeoutArgument(call: TracedCall): number | undefined {
  const index = callRows[call].parameters.findIndex(({ is }) => is === "timeout");
  return index === -1 ? undefined : index;
}
