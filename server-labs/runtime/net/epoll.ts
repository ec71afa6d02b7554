// epoll. An interest list in the kernel, and the call that waits until descriptors of the list are ready. See epoll(7).
import { inspect } from "node:util";
import { EBADF, EINTR } from "../sys/errno.ts";
import { epollDataOffset, epollEventBytes } from "../sys/libc.ts";
import * as sys from "../sys/syscalls.ts";
import {
  type Called,
  checkedTimeout,
  descriptor,
  eventMask,
  type HasDescriptor,
  integer,
} from "./arguments.ts";
import { failed } from "./errors.ts";

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const wants = "EPOLLIN | EPOLLOUT";

let room = 1024;
let filled = new Uint8Array(room * epollEventBytes);
let view = new DataView(filled.buffer);

/** A descriptor that is ready, and its events. */
export interface Ready {
  /** The file descriptor: the `fd` of a Socket. */
  fd: number;
  /** A bit mask of EPOLLIN, EPOLLOUT, …; from poll() of POLLIN, POLLOUT, …. */
  events: number;
}

/** An epoll instance: an interest list in the kernel, and the wait for its descriptors. See epoll(7). */
export class Epoll {
  /** The file descriptor of the epoll instance itself; -1 after close. */
  readonly fd: number;

  /**
   * Makes an epoll instance with an empty interest list: epoll_create1(2), with EPOLL_CLOEXEC.
   * @throws SyscallError EMFILE when this process may open no more descriptors
   */
  constructor() {
    this.fd = sys.epollCreate1(EPOLL_CLOEXEC);
    if (this.fd === -1) throw failed(Epoll, "epoll_create1", "new Epoll()", sys.errno);
  }

  /**
   * Adds a descriptor to the interest list: epoll_ctl(2), EPOLL_CTL_ADD.
   * @param on a Socket, or the number of a descriptor
   * @param events a bit mask of the events to report: EPOLLIN, EPOLLOUT, EPOLLRDHUP, …; with EPOLLET the kernel reports
   *   an event when something new arrives, and not again. The kernel reports EPOLLERR and EPOLLHUP whatever the mask.
   * @throws SyscallError EEXIST when the descriptor is registered already, EPERM for a regular file
   */
  register(on: HasDescriptor, events: number): void {
    this.#control(this.register, EPOLL_CTL_ADD, on, events);
  }

  /**
   * Changes the events of a registered descriptor: epoll_ctl(2), EPOLL_CTL_MOD. It also re-arms EPOLLONESHOT, and with
   * EPOLLET the kernel reports again what is ready already.
   * @param on a Socket, or the number of a descriptor
   * @param events the new bit mask; 0: only EPOLLERR and EPOLLHUP
   * @throws SyscallError ENOENT when the descriptor is not registered
   */
  modify(on: HasDescriptor, events: number): void {
    this.#control(this.modify, EPOLL_CTL_MOD, on, events);
  }

  /**
   * Removes a descriptor from the interest list: epoll_ctl(2), EPOLL_CTL_DEL. Call it before close: close(2) unregisters
   * a descriptor only when no other descriptor refers to the same open file, epoll(7). Where a child process has one,
   * epoll goes on to report the closed number, and it can no longer be unregistered.
   * @param on a Socket, or the number of a descriptor
   * @throws SyscallError ENOENT when the descriptor is not registered
   */
  unregister(on: HasDescriptor): void {
    this.#control(this.unregister, EPOLL_CTL_DEL, on, 0);
  }

  /**
   * Waits until a descriptor of the interest list is ready: epoll_wait(2).
   *
   * The kernel ends the wait with EINTR when the process is stopped and continued (signal(7)), though no descriptor is
   * ready. As in Python (PEP 475) poll does not report it: it waits again for the time that is left. The trace shows
   * each system call.
   * @param timeoutMs the longest wait in milliseconds: -1 for ever, 0 no wait; a fraction is rounded up
   * @param maxEvents the most descriptors that one call reports; the next call reports the rest
   * @returns the descriptors that are ready and their events; an empty list when the time is over
   * @throws SyscallError EBADF when this Epoll is closed
   */
  poll(timeoutMs = -1, maxEvents = 1024): Ready[] {
    if (this.fd === -1) throw this.#gone(this.poll);
    let left = timeoutMs === -1 || timeoutMs === 0 ? timeoutMs : checkedTimeout(this.poll, timeoutMs);
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

  /** Closes the epoll instance: close(2). Registered descriptors stay open. A second close does nothing. */
  close(): void {
    if (this.fd === -1) return;
    const fd = this.fd;
    (this as { fd: number }).fd = -1;
    sys.close(fd);
  }

  /** The text that `console.log` prints. */
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
