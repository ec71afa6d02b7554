// What a program listens on, read off its system calls: a listen(2) that succeeded, on the address that bind(2)
// gave the descriptor, or that getsockname(2) told. Never polled for, never slept for.
import { addressOf, nameOf } from "./strace.ts";
import { layout } from "./trace-layout.ts";

export interface Listener {
  fd: number;
  host: string;
  /** 0: the kernel chose one, and the program has not asked which. */
  port: number;
}

export class Listeners {
  /** A student's program may bind without end; more than this it does not listen on in earnest. */
  static readonly most = 1024;
  #bound = new Map<number, { host: string; port: number }>();
  #listening = new Set<number>();

  /** Takes one record of the trace; tells of a listener when this call has made (or named) one. */
  see(record: Buffer): Listener | null {
    const name = nameOf(record);
    if (name !== "bind" && name !== "listen" && name !== "getsockname" && name !== "close") return null;
    const fd = record.readInt32LE(layout.record.args);
    if (name === "close") {
      this.#bound.delete(fd);
      this.#listening.delete(fd);
      return null;
    }
    const returned = record.readDoubleLE(layout.record.took) !== -1;
    if (!returned || record.readInt32LE(layout.record.result) !== 0) return null;
    const before = this.#bound.get(fd);
    const address = name === "listen" ? undefined : addressOf(record);
    if (address && (before || this.#bound.size < Listeners.most)) this.#bound.set(fd, address);
    if (name === "listen" && this.#listening.size < Listeners.most) this.#listening.add(fd);
    // getsockname tells news only of a listener whose port was not known.
    const news = name === "listen" || (name === "getsockname" && before?.port === 0);
    if (!news || !this.#listening.has(fd)) return null;
    // listen without bind: the kernel takes any address and port. See listen(2), ip(7).
    return { fd, ...(this.#bound.get(fd) ?? { host: "0.0.0.0", port: 0 }) };
  }
}
