// What a program's descriptors are, read off its system calls: a number alone says nothing, and stands for another
// connection as soon as it is closed and used again. Where calls were lost, nothing is known any more.
import { addressOf, nameOf } from "./strace.ts";
import { epollFds, pollFds } from "./strace-values.ts";
import { layout, preview } from "./trace-layout.ts";

const { record: at } = layout;

export class Descriptors {
  /** A student's program may open without end; of more than this nothing is told. */
  static readonly most = 65_536;
  /** "listener", "epoll", "eventfd", or of a connection its peer: "127.0.0.1:51322". */
  readonly #is = new Map<number, string>();

  /** Takes one record of the trace, in order. An entered call comes again when it is done. */
  see(record: Buffer): void {
    const name = nameOf(record);
    const change = changes[name];
    if (!change || record.readDoubleLE(at.took) === -1) return;
    const fd = record.readInt32LE(at.args);
    change((of, is) => this.#learn(of, is), fd, record.readInt32LE(at.result), record);
  }

  /** Calls were lost: any number may be anything by now. */
  forget(): void {
    this.#is.clear();
  }

  /** Takes the record too. @returns what the descriptors are that it speaks of, those that are known, or undefined */
  who(record: Buffer): Record<number, string> | undefined {
    // What close ends is known before it, what accept4 gives after it.
    const ends = nameOf(record) === "close";
    if (!ends) this.see(record);
    let found: Record<number, string> | undefined;
    for (const fd of this.#is.size > 0 ? spokenOf(record) : []) {
      const is = this.#is.get(fd);
      if (is === undefined) continue;
      found ??= {};
      found[fd] = is;
    }
    if (ends) this.see(record);
    return found;
  }

  #learn(fd: number, is: string | null): void {
    if (is === null) this.#is.delete(fd);
    else if (fd >= 0 && (this.#is.size < Descriptors.most || this.#is.has(fd))) this.#is.set(fd, is);
  }
}

type Learn = (fd: number, is: string | null) => void;

/** The calls after which a descriptor is something else; what is done to it tells too what it is. */
const changes: Record<string, (learn: Learn, fd: number, result: number, record: Buffer) => void> = {
  accept4(learn, fd, result, record) {
    learn(fd, "listener");
    if (result >= 0) learn(result, endpoint(record));
  },
  listen: (learn, fd, result) => result === 0 && learn(fd, "listener"),
  connect: (learn, fd, _, record) => learn(fd, endpoint(record)),
  epoll_create1: (learn, _, result) => learn(result, "epoll"),
  epoll_ctl: (learn, fd) => learn(fd, "epoll"),
  epoll_wait: (learn, fd) => learn(fd, "epoll"),
  eventfd: (learn, _, result) => learn(result, "eventfd"),
  // A new socket is nothing yet, whatever had its number before.
  socket: (learn, _, result) => learn(result, null),
  close: (learn, fd) => learn(fd, null),
};

function endpoint(record: Buffer): string | null {
  const address = addressOf(record);
  if (!address) return null;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

function spokenOf(record: Buffer): number[] {
  const name = nameOf(record);
  const result = record.readInt32LE(at.result);
  const fds = name === "poll" || name === "epoll_create1" ? [] : [record.readInt32LE(at.args)];
  if (name === "accept4" || name === "epoll_create1") fds.push(result);
  if (name === "epoll_ctl") fds.push(record.readInt32LE(at.args + 8));
  const kind = record.readUInt16LE(at.previewKind);
  if (kind !== preview.epollEvents && kind !== preview.pollFds) return fds;
  if (record.readDoubleLE(at.took) === -1 && name === "epoll_wait") return fds;
  const filled = Math.max(0, Math.min(layout.previewBytes, record.readInt32LE(at.previewLength)));
  const bytes = record.subarray(at.preview, at.preview + filled);
  return fds.concat(kind === preview.pollFds ? pollFds(bytes) : epollFds(bytes, result));
}
