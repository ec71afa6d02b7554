// Event descriptor. eventfd(2): a counter in the kernel with a descriptor, so that poll and epoll can wait for it.
import { inspect } from "node:util";
import { EBADF } from "../sys/errno.ts";
import * as sys from "../sys/syscalls.ts";
import { type Called, checkFlags, integer } from "./arguments.ts";
import { failed } from "./errors.ts";
import { transfer } from "./transfer.ts";

const EFD_CLOEXEC = 0o2000000;
const most = 2 ** 32 - 1;
const counter = Buffer.alloc(8);

/** A counter in the kernel that has a descriptor: readable while it is more than 0. It wakes a loop. See eventfd(2). */
export class EventFd {
  /** The file descriptor; -1 after close. */
  readonly fd: number;

  /**
   * Makes a counter: eventfd(2), with EFD_CLOEXEC.
   * @param initial what the counter is at first, 0 to 4294967295
   * @param flags EFD_NONBLOCK: `add` and `take` return instead of waiting; EFD_SEMAPHORE: `take` takes 1, and not all
   * @throws SyscallError EMFILE when this process may open no more descriptors
   */
  constructor(initial = 0, flags = 0) {
    integer(EventFd, "a first count", initial, 0, most);
    checkFlags(EventFd, "EFD_NONBLOCK", flags);
    this.fd = sys.eventfd(initial, flags | EFD_CLOEXEC);
    if (this.fd === -1) throw failed(EventFd, "eventfd", "new EventFd()", sys.errno);
  }

  /**
   * Adds to the counter, and so makes the descriptor readable: write(2) of eight bytes. It waits only when the counter
   * would pass 2⁶⁴ - 2.
   * @param value 1 to 4294967295
   * @returns false: the counter has no room (would block); else true
   * @throws SyscallError EBADF when it is closed
   */
  add(value = 1): boolean {
    const fd = this.#open(this.add);
    integer(this.add, "a value", value, 1, most);
    counter.writeBigUInt64LE(BigInt(value));
    const shown = `add(fd ${fd}, ${value})`;
    return transfer("write", fd, counter, { called: this.add, shown }) !== null;
  }

  /**
   * Takes the counter, and sets it to 0: read(2) of eight bytes. While the counter is 0, it waits.
   * @returns what the counter was, however many calls of `add` have made it; null: it is 0 (would block)
   * @throws SyscallError EBADF when it is closed
   */
  take(): number | null {
    const fd = this.#open(this.take);
    const got = transfer("read", fd, counter, { called: this.take, shown: `take(fd ${fd})` });
    return got === null ? null : Number(counter.readBigUInt64LE());
  }

  /** Closes the descriptor: close(2). A second close does nothing. */
  close(): void {
    if (this.fd === -1) return;
    const fd = this.fd;
    (this as { fd: number }).fd = -1;
    sys.close(fd);
  }

  /** The text that `console.log` prints. */
  [inspect.custom](): string {
    return this.fd === -1 ? "<EventFd closed>" : `<EventFd fd=${this.fd}>`;
  }

  #open(called: Called): number {
    if (this.fd !== -1) return this.fd;
    throw failed(called, called.name, `${called.name} on a closed EventFd`, EBADF, "Make a new one.");
  }
}
