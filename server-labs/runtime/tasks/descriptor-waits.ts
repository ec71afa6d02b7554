// Descriptor waits. Which task waits for which descriptor, on one epoll instance: level-triggered, at most one task for each
// descriptor and direction.
import { Epoll, type Ready } from "../net/epoll.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from "../sys/constants.ts";
import { taskTrace } from "../sys/native-call.ts";
import type { Park, Task } from "./task.ts";

export type Direction = "readable" | "writable";

/** A descriptor was closed while a task waited for it. */
export class DescriptorClosed extends Error {
  readonly fd: number;

  constructor(fd: number, task: Task, direction: Direction) {
    super(
      `fd ${fd} was closed while ${task} waited for it to be ${direction}. Cancel that task, or let it end, before close().`,
    );
    this.name = "DescriptorClosed";
    this.fd = fd;
  }
}

interface Watched {
  /** The events for which it is registered. */
  events: number;
  readable: Task | null;
  writable: Task | null;
  /** The last recv(2) took all bytes that were there. */
  emptied: boolean;
}

const eventOf = { readable: EPOLLIN, writable: EPOLLOUT } as const;
/** The kernel reports these whatever the mask; any call on the descriptor then returns at once. */
const ends = EPOLLERR | EPOLLHUP;

export class DescriptorWaits {
  readonly #epoll = new Epoll();
  readonly #watched = new Map<number, Watched>();
  /** How many tasks wait for a descriptor. */
  waiting = 0;

  /** Waits for events, and wakes the tasks that wait for them. @param timeoutMs as of Epoll.poll */
  wait(timeoutMs: number): void {
    const events = this.#epoll.poll(timeoutMs);
    if (taskTrace !== null) taskTrace.readClock();
    for (const ready of events) this.#wake(ready);
  }

  /** @throws Error when another task waits for this descriptor and direction */
  park(fd: number, direction: Direction, task: Task): Park {
    const other = this.#watched.get(fd)?.[direction];
    if (other)
      throw new Error(
        `${task} would wait for fd ${fd} to be ${direction}, and ${other} does already. One event wakes one task: let one of them read, and hand the bytes over in a queue.`,
      );
    return {
      awaited: { kind: "descriptor", fd, direction },
      start: parked => {
        const watched = this.#watch(fd, direction);
        watched[direction] = parked;
        this.waiting++;
        return () => {
          watched[direction] = null;
          this.waiting--;
        };
      },
    };
  }

  /** A recv(2) has returned fewer bytes than there was room for. */
  setEmptied(fd: number): void {
    const watched = this.#watched.get(fd);
    if (watched) watched.emptied = true;
  }

  /**
   * Is it better to wait for bytes than to ask? The last recv(2) has taken all, and epoll reports the next ones: this saves
   * a call that would return EAGAIN. True once.
   */
  takeEmptied(fd: number): boolean {
    const watched = this.#watched.get(fd);
    if (!watched?.emptied) return false;
    watched.emptied = false;
    return true;
  }

  /** The program closes this descriptor: its waiters go on with an error, and epoll forgets it. */
  closes(fd: number): void {
    const watched = this.#watched.get(fd);
    if (!watched) return;
    this.#unregister(fd);
    for (const direction of ["readable", "writable"] as const) {
      const task = watched[direction];
      if (!task) continue;
      if (taskTrace !== null) taskTrace.closed(task.slot, fd);
      task.wake({ error: new DescriptorClosed(fd, task, direction) });
    }
  }

  close(): void {
    this.#epoll.close();
    this.#watched.clear();
  }

  /** Registers the descriptor for this direction, too. A registration stays after the wait: most tasks soon wait again. */
  #watch(fd: number, direction: Direction): Watched {
    const known = this.#watched.get(fd);
    const events = (known?.events ?? 0) | eventOf[direction];
    if (known && known.events === events) return known;
    if (known) this.#epoll.modify(fd, events);
    else this.#epoll.register(fd, events);
    const watched = known ?? { events, readable: null, writable: null, emptied: false };
    watched.events = events;
    this.#watched.set(fd, watched);
    return watched;
  }

  #wake({ fd, events }: Ready): void {
    const watched = this.#watched.get(fd);
    if (!watched) return;
    const reader = events & (EPOLLIN | EPOLLRDHUP | ends) ? watched.readable : null;
    const writer = events & (EPOLLOUT | ends) ? watched.writable : null;
    reader?.wake();
    writer?.wake();
    if (reader === null && writer === null) this.#reported(fd, watched);
    else if (watched.events & EPOLLOUT && !watched.writable && !writer) this.#reduce(fd, watched);
  }

  /** An event for which no task waits: level-triggered epoll would report it in each turn. */
  #reported(fd: number, watched: Watched): void {
    if (watched.readable || watched.writable) this.#reduce(fd, watched);
    else this.#unregister(fd);
  }

  #reduce(fd: number, watched: Watched): void {
    watched.events = (watched.readable ? EPOLLIN : 0) | (watched.writable ? EPOLLOUT : 0);
    this.#epoll.modify(fd, watched.events);
  }

  #unregister(fd: number): void {
    this.#watched.delete(fd);
    this.#epoll.unregister(fd);
  }
}
