// Standard output and error that are written when they are said. Node's own are asynchronous on a pipe: a program
// that then blocks, crashes or calls process.exit takes its last words with it.
import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { POLLHUP, POLLOUT } from "./constants.ts";
import { EAGAIN } from "./errno.ts";
import { native, pollFdBytes } from "./libc.ts";

type Callback = (error?: Error | null) => void;

/** A stream whose write has happened when it returns. */
class SynchronousOutput extends Writable {
  readonly fd: number;

  constructor(fd: number) {
    super({ decodeStrings: false });
    this.fd = fd;
  }

  /**
   * Writable's own keeps a note of each callback for the next turn of Node's loop. A server that sleeps in
   * epoll_wait never gives Node a turn, and the notes would fill its memory; so the callback is called here.
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
    // Defined anew, not read: to read process.stdout would make Node open its own.
    Object.defineProperty(process, name, {
      value: new SynchronousOutput(fd),
      configurable: true,
      enumerable: true,
      writable: false,
    });
  }
}

/** Writes everything, and waits where a non-blocking descriptor is full. */
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

/** Sleeps until a descriptor is ready. Not traced: it is the runtime that waits, not the program. */
export function awaitReady(fd: number, events: number): void {
  const pollfd = new Uint8Array(pollFdBytes);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  native.poll(pollfd, 1, -1);
}

/** The other end of a socket or pipe is gone. Not traced, as above. */
export function hungUp(fd: number): boolean {
  const pollfd = new Uint8Array(pollFdBytes);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  native.poll(pollfd, 1, 0);
  return (view.getInt16(6, true) & POLLHUP) !== 0;
}
