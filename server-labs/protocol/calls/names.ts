// Constants. The names that the kernel's headers give to numbers: <sys/socket.h>, <netinet/tcp.h>, <fcntl.h>, <sys/epoll.h>.
// Linux has the same values on x64 and arm64. A number without a name stays a number, as in strace.

/** Number → its name in a header. */
export type Names = Readonly<Record<number, string>>;

/** <fcntl.h> gives these in octal. */
const append = 0o2000;
const nonblock = 0o4000;
const cloexec = 0o2000000;

export const families: Names = { 1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6" };
export const socketTypes: Names = { 1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW" };
export const socketFlags: Names = { [nonblock]: "SOCK_NONBLOCK", [cloexec]: "SOCK_CLOEXEC" };
export const eventfdFlags: Names = {
  1: "EFD_SEMAPHORE",
  [nonblock]: "EFD_NONBLOCK",
  [cloexec]: "EFD_CLOEXEC",
};
export const signalfdFlags: Names = { [nonblock]: "SFD_NONBLOCK", [cloexec]: "SFD_CLOEXEC" };
export const maskChanges: Names = { 0: "SIG_BLOCK", 1: "SIG_UNBLOCK", 2: "SIG_SETMASK" };
export const epollFlags: Names = { [cloexec]: "EPOLL_CLOEXEC" };
export const protocols: Names = { 6: "IPPROTO_TCP", 17: "IPPROTO_UDP" };
export const levels: Names = { 0: "SOL_IP", 1: "SOL_SOCKET", 6: "SOL_TCP", 41: "SOL_IPV6" };
export const shutdownHow: Names = { 0: "SHUT_RD", 1: "SHUT_WR", 2: "SHUT_RDWR" };
export const fcntlCommands: Names = { 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL" };
export const fileFlags: Names = {
  1: "O_WRONLY",
  2: "O_RDWR",
  [append]: "O_APPEND",
  [nonblock]: "O_NONBLOCK",
  [cloexec]: "O_CLOEXEC",
};
/** Signals that programs meet, as strace writes a set of them: without SIG. */
export const signals: Names = {
  1: "HUP",
  2: "INT",
  3: "QUIT",
  9: "KILL",
  10: "USR1",
  12: "USR2",
  13: "PIPE",
  14: "ALRM",
  15: "TERM",
  17: "CHLD",
  18: "CONT",
  19: "STOP",
  28: "WINCH",
};
export const epollOperations: Names = { 1: "EPOLL_CTL_ADD", 2: "EPOLL_CTL_DEL", 3: "EPOLL_CTL_MOD" };
export const resources: Names = { 0: "RLIMIT_CPU", 2: "RLIMIT_DATA", 6: "RLIMIT_NPROC", 7: "RLIMIT_NOFILE" };
export const prctlOptions: Names = { 1: "PR_SET_PDEATHSIG", 2: "PR_GET_PDEATHSIG", 15: "PR_SET_NAME" };
export const messageFlags: Names = {
  1: "MSG_OOB",
  2: "MSG_PEEK",
  64: "MSG_DONTWAIT",
  256: "MSG_WAITALL",
  16384: "MSG_NOSIGNAL",
  32768: "MSG_MORE",
};
const events = (prefix: string): Names => ({
  1: `${prefix}IN`,
  2: `${prefix}PRI`,
  4: `${prefix}OUT`,
  8: `${prefix}ERR`,
  16: `${prefix}HUP`,
  8192: `${prefix}RDHUP`,
});
export const pollEvents: Names = { ...events("POLL"), 32: "POLLNVAL" };
export const epollEvents: Names = {
  ...events("EPOLL"),
  268435456: "EPOLLEXCLUSIVE",
  1073741824: "EPOLLONESHOT",
  2147483648: "EPOLLET",
};
/** Socket options: by level, then by option. */
export const options: Readonly<Record<number, Names>> = {
  1: {
    2: "SO_REUSEADDR",
    3: "SO_TYPE",
    4: "SO_ERROR",
    7: "SO_SNDBUF",
    8: "SO_RCVBUF",
    9: "SO_KEEPALIVE",
    13: "SO_LINGER",
    15: "SO_REUSEPORT",
    20: "SO_RCVTIMEO",
    21: "SO_SNDTIMEO",
    30: "SO_ACCEPTCONN",
  },
  6: {
    1: "TCP_NODELAY",
    2: "TCP_MAXSEG",
    3: "TCP_CORK",
    9: "TCP_DEFER_ACCEPT",
    11: "TCP_INFO",
    12: "TCP_QUICKACK",
    18: "TCP_USER_TIMEOUT",
    23: "TCP_FASTOPEN",
  },
  41: { 26: "IPV6_V6ONLY" },
};

/** The name of a number, or the number. */
export function named(names: Names | undefined, value: number): string {
  return names?.[value] ?? String(value);
}

/** The names of the flags that are set; what has no name comes last, in hex. */
export function flagNames(names: Names, value: number): string[] {
  let rest = value >>> 0;
  const found: string[] = [];
  for (const [bit, name] of Object.entries(names)) {
    if ((rest & Number(bit)) >>> 0 !== Number(bit)) continue;
    found.push(name);
    rest = (rest & ~Number(bit)) >>> 0;
  }
  if (rest !== 0) found.push(`0x${rest.toString(16)}`);
  return found;
}

/** A set of flags as strace writes it: "EPOLLIN|EPOLLET", "0" when no flag is set. */
export const flags = (names: Names, value: number, none = "0"): string =>
  flagNames(names, value).join("|") || none;
