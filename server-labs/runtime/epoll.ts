// epoll: one list in the kernel of the descriptors that one is interested in, and one call that sleeps until some
// of them are ready. See epoll(7).
import { inspect } from "node:util";
import { type Called, descriptor, eventMask, type HasDescriptor, integer, timeout } from "./arguments.ts";
import { EBADF, EINTR } from "./errno.ts";
import { failed } from "./errors.ts";
import { epollDataOffset, epollEventBytes } from "./libc.ts";
import * as sys from "./syscalls.ts";

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const wants = "EPOLLIN | EPOLLOUT";

let room = 1024;
let filled = new Uint8Array(room * epollEventBytes);
let view = new DataView(filled.buffer);

/** A descriptor that is ready, and for what. */
export interface Ready {
  fd: number;
  /** A mask of EPOLLIN, EPOLLOUT, … (or POLLIN, … from poll). */
  events: number;
}

/** An interest list in the kernel, and the wait for what is on it. See epoll(7). */
export class Epoll {
  /** The file descriptor of the epoll itself; -1 once closed. */
  readonly fd: number;

  /** Makes an empty interest list: epoll_create1(2), with EPOLL_CLOEXEC. */
  constructor() {
    this.fd = sys.epollCreate1(EPOLL_CLOEXEC);
    if (this.fd === -1) throw failed(Epoll, "epoll_create1", "new Epoll()", sys.errno);
  }

  /**
   * Puts a descriptor on the interest list: epoll_ctl(2), EPOLL_CTL_ADD.
   * @param events what to be told of: EPOLLIN, EPOLLOUT, EPOLLRDHUP, …; with EPOLLET only of what is new.
   *   EPOLLERR and EPOLLHUP are reported always; 0 asks for nothing else.
   * @throws SyscallError EEXIST when it is registered already; EPERM for a regular file
   */
  register(on: HasDescriptor, events: number): void {
    this.#control(this.register, EPOLL_CTL_ADD, on, events);
  }

  /**
   * Changes what a registered descriptor is watched for: epoll_ctl(2), EPOLL_CTL_MOD. It also re-arms
   * EPOLLONESHOT, and with EPOLLET reports again what is already there.
   * @throws SyscallError ENOENT when it is not registered
   */
  modify(on: HasDescriptor, events: number): void {
    this.#control(this.modify, EPOLL_CTL_MOD, on, events);
  }

  /**
   * Takes a descriptor off the list: epoll_ctl(2), EPOLL_CTL_DEL. Do it before close: close itself unregisters
   * only the last descriptor of an open file.
   * @throws SyscallError ENOENT when it is not registered
   */
  unregister(on: HasDescriptor): void {
    this.#control(this.unregister, EPOLL_CTL_DEL, on, 0);
  }

  /**
   * Sleeps until something on the list is ready: epoll_wait(2).
   *
   * The kernel ends the sleep with EINTR when the process is stopped and continued (signal(7)), though nothing is
   * ready. As in Python (PEP 475) you do not see it: the wait is taken up again for the time that is left, and
   * the trace shows each call.
   * @param timeoutMs how long at most, in milliseconds: -1 for ever, 0 not at all; a fraction is rounded up
   * @param maxEvents how many to report at most; what is left over is reported by the next call
   * @returns those that are ready, none when the time is over
   */
  poll(timeoutMs = -1, maxEvents = 1024): Ready[] {
    if (this.fd === -1) throw this.#gone(this.poll);
    let left = timeoutMs === -1 || timeoutMs === 0 ? timeoutMs : timeout(this.poll, timeoutMs);
    if (maxEvents !== room) makeRoom(this.poll, maxEvents);
    const until = left > 0 ? performance.now() + left : 0;
    let count = sys.epollWait(this.fd, filled, maxEvents, left);
    while (count === -1) {
      if (sys.errno !== EINTR) throw failed(this.poll, "epoll_wait", `poll(epoll fd ${this.fd})`, sys.errno);
      if (left > 0) left = Math.max(0, Math.ceil(until - performance.now()));
      count = sys.epollWait(this.fd, filled, maxEvents, left);
    }
    const ready: Ready[] = new Array(count);
    for (let i = 0, at = 0; i < count; i++, at += epollEventBytes) {
      ready[i] = { fd: view.getInt32(at + epollDataOffset, true), events: view.getUint32(at, true) };
    }
    return ready;
  }

  /** Gives the epoll back; what was registered is not touched: close(2). To close twice is harmless. */
  close(): void {
    if (this.fd === -1) return;
    const fd = this.fd;
    (this as { fd: number }).fd = -1;
    sys.close(fd);
  }

  /** As `console.log` shows it. */
  [inspect.custom](): string {
    return this.fd === -1 ? "<Epoll closed>" : `<Epoll fd=${this.fd}>`;
  }

  #control(called: Called, operation: number, on: HasDescriptor, events: number): void {
    if (this.fd === -1) throw this.#gone(called);
    const fd = descriptor(called, on);
    if (operation !== EPOLL_CTL_DEL) events = eventMask(called, events, wants);
    if (sys.epollCtl(this.fd, operation, fd, events) === -1) {
      throw failed(called, "epoll_ctl", `${called.name}(epoll fd ${this.fd}, fd ${fd})`, sys.errno);
    }
  }

  #gone(called: Called): Error {
    const call = `${called.name} on a closed epoll`;
    return failed(called, called.name, call, EBADF, "This Epoll was closed: make a new one.");
  }
}

function makeRoom(called: Called, events: number): void {
  integer(called, "a number of events", events, 1, 1024 * 1024);
  if (events <= room) return;
  room = events;
  filled = new Uint8Array(room * epollEventBytes);
  view = new DataView(filled.buffer);
}
