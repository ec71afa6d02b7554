// The memory in which a traced program and whoever watches it meet: a header and a ring of fixed-size
// records, one for each system call. The program maps it and writes; the watcher reads the same pages as a
// file. A record costs no system call, survives a crash of the program, and a slow watcher loses old records
// but never count. This file is only the layout: no native code, no Node.

/** Every traced call; a record holds the index. New names go to the end. */
export const tracedCalls = [
  "?",
  "socket",
  "bind",
  "listen",
  "accept4",
  "connect",
  "recv",
  "send",
  "read",
  "write",
  "shutdown",
  "close",
  "fcntl",
  "setsockopt",
  "getsockopt",
  "getsockname",
  "getpeername",
  "poll",
  "epoll_create1",
  "epoll_ctl",
  "epoll_wait",
  "eventfd",
  "nanosleep",
  "getrlimit",
  "setrlimit",
  "prctl",
] as const;

export type TracedCall = (typeof tracedCalls)[number];

/** Their first argument is no descriptor. */
export const callsWithoutFd: ReadonlySet<string> = new Set<TracedCall>([
  "?",
  "socket",
  "poll",
  "epoll_create1",
  "eventfd",
  "nanosleep",
  "getrlimit",
  "setrlimit",
  "prctl",
]);

/** What they return is a new descriptor. */
export const callsThatOpen: readonly TracedCall[] = ["socket", "accept4", "epoll_create1", "eventfd"];

/** They move octets, and leave every descriptor what it was: in a flood nearly all calls are these. */
export const callsThatMove: readonly TracedCall[] = ["recv", "send", "read", "write"];

/**
 * What the preview bytes of a record are: data of the program, a struct sockaddr, pairs of i32 fd and u32 events, or
 * struct pollfd (i32 fd, i16 events, i16 revents).
 */
export const preview = { none: 0, bytes: 1, address: 2, epollEvents: 3, pollFds: 4 } as const;

export const layout = {
  magic: 0x534f434b,
  version: 1,
  /** Records in the ring, a power of two: 10 ms of a program that makes a call every microsecond and a quarter. */
  capacity: 8192,
  /** Int32 words of the header, at the start of the memory. */
  header: {
    magic: 0,
    version: 1,
    /** Records begun since the program started, as an unsigned count that wraps. Stored with Atomics. */
    head: 2,
    /** How many commands the watcher has written on the control socket: when it changes, there is one to hear. */
    command: 3,
    /** 1 once the program ends by itself: it has called exit, with whatever status. A signal leaves it 0. */
    exiting: 4,
  },
  headerBytes: 256,
  recordBytes: 128,
  /** Offsets inside a record, in bytes. */
  record: {
    /** f64: when the call began, in milliseconds of CLOCK_MONOTONIC; of a call that is not timed, a little before. */
    at: 0,
    /** f64: how long it took, in microseconds; -1 while the call has not returned; NaN: it has, but in a flood not
     * every call is timed. */
    took: 8,
    /** i32: what the call returned. */
    result: 16,
    /** i32: errno when result is -1, else 0. */
    errno: 20,
    /** u16: index in tracedCalls. */
    call: 24,
    /** u16: one of preview. */
    previewKind: 26,
    /** i32: line of the program's source, 0 when unknown. */
    line: 28,
    /** i32 × 5: the arguments as numbers, fd first where there is one; the fifth is 0. */
    args: 32,
    /** i32: how many bytes of preview are filled. */
    previewLength: 52,
    preview: 56,
  },
  previewBytes: 72,
} as const;

/** Size of the whole memory in bytes. */
export const traceBytes = layout.headerBytes + layout.capacity * layout.recordBytes;
