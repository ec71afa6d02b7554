// C library. Its functions, called through koffi; the only file that imports koffi. When it is loaded it checks that this
// is Linux on x64 or arm64, and that structs have the expected sizes. Programs call these functions through syscalls.ts
// only, which traces each call and keeps its errno.
import { createRequire } from "node:module";

type Koffi = typeof import("koffi");
type Native = (...args: (number | bigint | string | ArrayBufferView | null)[]) => number;

/** Size of `struct epoll_event`: packed on x64 and only there, as <sys/epoll.h> has it. */
export const epollEventBytes = process.arch === "x64" ? 12 : 16;
/** The offset of `data` in it; `events` is at 0. */
export const epollDataOffset = process.arch === "x64" ? 4 : 8;
/** Size of `struct pollfd`: i32 fd, i16 events, i16 revents. */
export const pollFdBytes = 8;

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

const koffi = loadKoffi();
const libc = loadLibc();
assertLayouts();

/** The functions by their C names. koffi 3.3 has no ssize_t; intptr_t has the same size and sign. */
export const native = {
  socket: func("int socket(int, int, int)"),
  bind: func("int bind(int, void *, uint32_t)"),
  listen: func("int listen(int, int)"),
  accept4: func("int accept4(int, void *, void *, int)"),
  connect: func("int connect(int, void *, uint32_t)"),
  recv: func("intptr_t recv(int, void *, size_t, int)"),
  send: func("intptr_t send(int, void *, size_t, int)"),
  read: func("intptr_t read(int, void *, size_t)"),
  write: func("intptr_t write(int, void *, size_t)"),
  shutdown: func("int shutdown(int, int)"),
  close: func("int close(int)"),
  dup: func("int dup(int)"),
  fcntl: func("int fcntl(int, int, ...)"),
  setsockopt: func("int setsockopt(int, int, int, void *, uint32_t)"),
  getsockopt: func("int getsockopt(int, int, int, void *, void *)"),
  getsockname: func("int getsockname(int, void *, void *)"),
  getpeername: func("int getpeername(int, void *, void *)"),
  poll: func("int poll(void *, unsigned long, int)"),
  epoll_create1: func("int epoll_create1(int)"),
  epoll_ctl: func("int epoll_ctl(int, int, int, void *)"),
  epoll_wait: func("int epoll_wait(int, void *, int, int)"),
  eventfd: func("int eventfd(unsigned int, int)"),
  pipe2: func("int pipe2(void *, int)"),
  socketpair: func("int socketpair(int, int, int, void *)"),
  sigprocmask: func("int sigprocmask(int, void *, void *)"),
  sigaction: func("int sigaction(int, void *, void *)"),
  signalfd: func("int signalfd(int, void *, int)"),
  nanosleep: func("int nanosleep(void *, void *)"),
  getrlimit: func("int getrlimit(int, void *)"),
  setrlimit: func("int setrlimit(int, void *)"),
  prlimit: func("int prlimit(int, int, void *, void *)"),
  prctl: func("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)"),
} as const;

/** Converts text to an address, without a system call: inet_pton(3). @returns 1, or 0 when the text is not an address */
export const inetPton: (family: number, text: string, into: Uint8Array) => number = func(
  "int inet_pton(int, const char *, void *)",
) as never;

/** The text of an errno, without a system call: "Address already in use". strerror(3). */
export const strerror: (errno: number) => string = func("const char *strerror(int)") as never;

/**
 * The errno of the call that has just returned -1. Call it directly behind that call: JavaScript in between may make
 * system calls of its own, which change errno.
 */
export const lastErrno: () => number = koffi.errno as () => number;

/** mmap(2), looked up when it is first needed. */
const mmap = (): ((...args: unknown[]) => unknown) =>
  func("void *mmap(void *, size_t, int, int, int, int64_t)") as unknown as (...args: unknown[]) => unknown;

/** Maps memory that other processes with `fd` share: mmap(2) with PROT_READ | PROT_WRITE, MAP_SHARED. Never unmapped. */
export function mapShared(fd: number, bytes: number): ArrayBuffer {
  const memory = mmap()(null, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  const errno = lastErrno();
  if (koffi.address(memory) === 0xffffffffffffffffn) {
    throw new Error(`cannot map ${bytes} bytes of descriptor ${fd}: ${strerror(errno)}`);
  }
  return koffi.view(memory, bytes);
}

/**
 * Maps memory that holds these machine instructions and may only be read and executed: mmap(2), mprotect(2). Never
 * unmapped. @returns its address
 */
export function mapCode(instructions: Uint8Array): bigint {
  const mprotect = func("int mprotect(void *, size_t, int)") as unknown as (...args: unknown[]) => number;
  const bytes = 4096;
  const memory = mmap()(null, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  let errno = lastErrno();
  const address = koffi.address(memory);
  if (address !== 0xffffffffffffffffn) {
    new Uint8Array(koffi.view(memory, bytes)).set(instructions);
    // The kernel makes the processor's instruction cache agree with memory that becomes executable.
    if (mprotect(memory, bytes, PROT_READ | PROT_EXEC) === 0) return address;
    errno = lastErrno();
  }
  throw new Error(`this system gives the program no memory for instructions: ${strerror(errno)}`);
}

function func(prototype: string): Native {
  return libc.func(prototype);
}

function loadKoffi(): Koffi {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) {
    throw new Error(
      `workbook/net makes Linux system calls, and knows their layouts on x64 and arm64; this is ${process.platform} on ` +
        `${process.arch}. Run it on such a Linux: WSL2, a container or a virtual machine will do.`,
    );
  }
  try {
    return createRequire(import.meta.url)("koffi");
  } catch (error) {
    throw new Error(
      "workbook/net cannot load koffi, the package that calls the C library from JavaScript. It belongs to the workbook's " +
        "node_modules and brings its binary in an optional package (@koromix/koffi-linux-…): run `npm ci` in the workbook's " +
        `folder, without --omit=optional, with the same Node (${process.version}, ${process.arch}). It said: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function loadLibc() {
  const musl = process.arch === "x64" ? "x86_64" : "aarch64";
  const names = ["libc.so.6", `libc.musl-${musl}.so.1`];
  const said: string[] = [];
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch (error) {
      said.push((error as Error).message);
    }
  }
  throw new Error(`workbook/net cannot load the C library (tried ${names.join(", ")}): ${said.join("; ")}`);
}

/** Checks that structs have the sizes that the runtime uses. On a machine where they differ no call may be made. */
function assertLayouts(): void {
  const event = { events: "uint32_t", data: "uint64_t" };
  const expected: [string, ReturnType<Koffi["struct"]>, number][] = [
    ["epoll_event", process.arch === "x64" ? koffi.pack(event) : koffi.struct(event), epollEventBytes],
    ["pollfd", koffi.struct({ fd: "int", events: "short", revents: "short" }), pollFdBytes],
    ["timespec", koffi.struct({ tv_sec: "long", tv_nsec: "long" }), 16],
    ["rlimit", koffi.struct({ rlim_cur: "unsigned long", rlim_max: "unsigned long" }), 16],
  ];
  for (const [name, type, bytes] of expected) {
    if (koffi.sizeof(type) !== bytes) {
      throw new Error(
        `workbook/net expects struct ${name} to have ${bytes} bytes, but it has ${koffi.sizeof(type)} on this machine ` +
          `(${process.arch}). Calls would read the wrong memory, so the program makes no call. This is a fault of the workbook: please report it.`,
      );
    }
  }
}
