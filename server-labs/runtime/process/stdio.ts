// Synchronous output. process.stdout and process.stderr whose write(2) has returned when write() returns. Node's own
// streams are asynchronous on a pipe: a program that blocks, crashes or calls process.exit loses its last output.
import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { POLLHUP, POLLOUT } from "../sys/constants.ts";
import { EAGAIN } from "../sys/errno.ts";
import { native, pollFdBytes } from "../sys/libc.ts";

type Callback = (error?: Error | null) => void;

/** A stream whose write(2) has returned when write() returns. */
class SynchronousOutput extends Writable {
  readonly fd: number;

  constructor(fd: number) {
    super({ decodeStrings: false });
    this.fd = fd;
  }

  /**
   * Writable.write queues each callback for the next turn of Node's event loop. A server that sleeps in epoll_wait never
   * returns to that loop, and the queue would fill its memory: so the callback is called here.
   */
  override write(
    chunk: unknown,
    encoding?: BufferEncoding | Callback,
    callback: Callback | undefined = typeof encoding === "function" ? encoding : undefined,
  ): boolean {
    this._write(chunk as string, typeof encoding === "string" ? encoding : "utf8", error => {
      callback?.(error ?? null);
      if (error && !callback) process.nextTick(() => this.emit("error", error));
    });
    return true;
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, done: Callback): void {
    try {
      writeAll(this.fd, typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
      done(null);
    } catch (error) {
      done(error as Error);
    }
  }
}

/** Binds process.stdout, process.stderr, and with them console, to descriptors 1 and 2, synchronously. */
export function installSynchronousOutput(): void {
  for (const [name, fd] of [
    ["stdout", 1],
    ["stderr", 2],
  ] as const) {
    // Defined without a read: reading process.stdout makes Node open its own stream.
    Object.defineProperty(process, name, {
      value: new SynchronousOutput(fd),
      configurable: true,
      enumerable: true,
      writable: false,
    });
  }
}

/** Writes all bytes; where a non-blocking descriptor is full, it waits. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno !== -EAGAIN) throw error;
      awaitReady(fd, POLLOUT);
    }
  }
}

/** Waits until a descriptor is ready. Not traced: the runtime waits, and not the program. */
export function awaitReady(fd: number, events: number): void {
  const pollfd = new Uint8Array(pollFdBytes);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  native.poll(pollfd, 1, -1);
}

/** The other end of a socket or pipe is closed. Not traced: the runtime asks, and not the program. */
export function hungUp(fd: number): boolean {
  const pollfd = new Uint8Array(pollFdBytes);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  native.poll(pollfd, 1, 0);
  return (view.getInt16(6, true) & POLLHUP) !== 0;
}
