// Pipe. pipe(2), one end to read from and one to write to, and socketpair(2), two sockets that are connected.
import { inspect } from "node:util";
import { AF_UNIX, O_NONBLOCK, SOCK_CLOEXEC, SOCK_STREAM } from "../sys/constants.ts";
import { EBADF } from "../sys/errno.ts";
import * as sys from "../sys/syscalls.ts";
import { type Called, dataBytes, integer, misuse, mostBytes, shown } from "./arguments.ts";
import { failed } from "./errors.ts";
import { Socket } from "./socket.ts";
import { transfer } from "./transfer.ts";

const O_CLOEXEC = 0o2000000;
const pair = new Int32Array(2);

/** A pipe: bytes that are written to one end come out of the other, in order. Its buffer holds 64 KB. See pipe(7). */
export class Pipe {
  /** The descriptor of the end to read from; -1 after closeReader. */
  readonly readFd: number;
  /** The descriptor of the end to write to; -1 after closeWriter. */
  readonly writeFd: number;

  /**
   * Makes a pipe: pipe2(2), with O_CLOEXEC.
   * @param flags O_NONBLOCK: both ends are non-blocking; 0: both block
   * @throws SyscallError EMFILE when this process may open no two more descriptors
   */
  constructor(flags = 0) {
    if (flags !== 0 && flags !== O_NONBLOCK)
      throw misuse(Pipe, `takes O_NONBLOCK or 0 as its flags, not ${shown(flags)}.`);
    if (sys.pipe2(pair, flags | O_CLOEXEC) === -1) throw failed(Pipe, "pipe2", "new Pipe()", sys.errno);
    this.readFd = pair[0]!;
    this.writeFd = pair[1]!;
  }

  /**
   * Reads bytes from the pipe: read(2). A blocking pipe waits for the first byte.
   * @param size the most bytes to return, 1 to 16777216
   * @returns a new Buffer. Empty (`length` 0): every writing end is closed, and no bytes are left. null: no bytes have
   *   come yet (would block).
   * @throws SyscallError EBADF when this end is closed
   */
  read(size: number): Buffer | null {
    integer(this.read, "a size", size, 1, mostBytes);
    const fd = this.#open(this.read, this.readFd);
    const into = Buffer.allocUnsafe(size);
    const got = transfer("read", fd, into, { called: this.read, shown: `read(fd ${fd}, ${size})` });
    return got === null ? null : into.subarray(0, got);
  }

  /**
   * Writes bytes to the pipe: write(2). A blocking pipe waits until all bytes fit; a non-blocking one takes what fits.
   * Up to 4096 bytes (PIPE_BUF) are taken as a whole or not at all.
   * @param bytes a Buffer or Uint8Array; a string is written as UTF-8
   * @returns the number of bytes taken; null: the pipe is full (would block)
   * @throws SyscallError EPIPE when every reading end is closed
   */
  write(bytes: Uint8Array | string): number | null {
    const out = dataBytes(this.write, bytes);
    const fd = this.#open(this.write, this.writeFd);
    return transfer("write", fd, out, { called: this.write, shown: `write(fd ${fd}, ${out.length} bytes)` });
  }

  /** Closes the end to read from: close(2). From now on a write to the pipe fails with EPIPE. */
  closeReader(): void {
    const fd = this.readFd;
    (this as { readFd: number }).readFd = -1;
    if (fd !== -1) sys.close(fd);
  }

  /** Closes the end to write to: close(2). When all bytes are read, the reader gets an empty Buffer. */
  closeWriter(): void {
    const fd = this.writeFd;
    (this as { writeFd: number }).writeFd = -1;
    if (fd !== -1) sys.close(fd);
  }

  /** The text that `console.log` prints. */
  [inspect.custom](): string {
    return `<Pipe readFd=${this.readFd} writeFd=${this.writeFd}>`;
  }

  #open(called: Called, fd: number): number {
    if (fd !== -1) return fd;
    throw failed(called, called.name, `${called.name} on a closed end of a pipe`, EBADF, "Make a new Pipe.");
  }
}

/**
 * Makes two sockets that are connected to each other: socketpair(2), in the family AF_UNIX. No other process and no port
 * is involved. What one sends, the other receives; both can be watched by poll and epoll.
 * @param type SOCK_STREAM; may be combined with SOCK_NONBLOCK by |. SOCK_CLOEXEC is always added.
 * @throws SyscallError EMFILE when this process may open no two more descriptors
 */
export function socketPair(type: number = SOCK_STREAM): [Socket, Socket] {
  integer(socketPair, "a type such as SOCK_STREAM", type, 1, 2 ** 31 - 1);
  if (sys.socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) === -1) {
    throw failed(socketPair, "socketpair", `socketPair(${type})`, sys.errno);
  }
  const [one, other] = pair as unknown as [number, number];
  return [new Socket({ fd: one, family: AF_UNIX }), new Socket({ fd: other, family: AF_UNIX })];
}
