// Network. All sockets of one process's clients on one epoll instance: it calls the clients whose sockets are ready.
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, Epoll } from "../runtime.ts";

/** Has a descriptor that epoll watches: a client, or the visitor's stdin. */
export interface PolledDescriptor {
  readonly fd: number;
  onReady(ready: { readable: boolean; writable: boolean }): void;
  close(): void;
}

/** Calls of epoll_wait for one dispatch: a server that sends without end must not keep a check from its clock. */
const mostRounds = 16;

export class Network {
  readonly #epoll = new Epoll();
  readonly #watched = new Map<number, { client: PolledDescriptor; events: number }>();

  /**
   * Calls every client whose socket is ready.
   * @param waitMs milliseconds to sleep at most until one is ready; -1: for ever, 0: not at all
   */
  dispatch(waitMs = 0): void {
    for (let round = 0; round < mostRounds; round++) {
      const ready = this.#epoll.poll(round === 0 ? waitMs : 0);
      for (const { fd, events } of ready) {
        this.#watched.get(fd)?.client.onReady({
          readable: (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) !== 0,
          writable: (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) !== 0,
        });
      }
      if (ready.length === 0) return;
    }
  }

  /** Sets the events that epoll reports for this client. */
  watch(client: PolledDescriptor, wants: { read: boolean; write: boolean }): void {
    const { fd } = client;
    const known = this.#watched.get(fd);
    const events = (wants.read ? EPOLLIN : 0) | (wants.write ? EPOLLOUT : 0);
    if (known?.events === events) return;
    // epoll reports EPOLLHUP whatever the mask: a descriptor with an empty mask would be reported for ever.
    if (events === 0) this.forget(client);
    else if (known) this.#epoll.modify(fd, events);
    else this.#epoll.register(fd, events);
    if (events !== 0) this.#watched.set(fd, { client, events });
  }

  forget(client: PolledDescriptor): void {
    if (!this.#watched.delete(client.fd)) return;
    this.#epoll.unregister(client.fd);
  }

  close(): void {
    for (const { client } of [...this.#watched.values()]) client.close();
    this.#epoll.close();
  }
}
