// All clients of one check, and the one epoll that says which of them can move. Whoever waits calls turn() again
// and again; it waits itself only when it is told to.
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, Epoll } from "../runtime/net.ts";

/** Who is told that its descriptor can move: a client. */
export interface Mover {
  readonly fd: number;
  move(can: { readable: boolean; writable: boolean }): void;
  close(): void;
}

export class Network {
  readonly #epoll = new Epoll();
  readonly #clients = new Map<number, { client: Mover; events: number }>();

  /**
   * Lets every client that can move do so.
   * @param waitMs sleeps until one can, at most so long: -1 for ever. Who has other things to do does not sleep.
   */
  turn(waitMs = 0): void {
    // Bounded: a server that sends without end must not keep the check from looking at its clock.
    for (let round = 0; round < 16; round++) {
      const ready = this.#epoll.poll(round === 0 ? waitMs : 0);
      for (const { fd, events } of ready) {
        this.#clients.get(fd)?.client.move({
          readable: (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) !== 0,
          writable: (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) !== 0,
        });
      }
      if (ready.length === 0) return;
    }
  }

  /** This client wants to hear of these; of nothing when it has gone. */
  watch(client: Mover, wants: { read: boolean; write: boolean }): void {
    const { fd } = client;
    const known = this.#clients.get(fd);
    const events = (wants.read ? EPOLLIN : 0) | (wants.write ? EPOLLOUT : 0);
    if (known?.events === events) return;
    // An epoll reports hang-ups asked or not: who wants nothing is taken out, or it would be reported for ever.
    if (events === 0) this.forget(client);
    else if (known) this.#epoll.modify(fd, events);
    else this.#epoll.register(fd, events);
    if (events !== 0) this.#clients.set(fd, { client, events });
  }

  forget(client: Mover): void {
    if (!this.#clients.delete(client.fd)) return;
    this.#epoll.unregister(client.fd);
  }

  close(): void {
    for (const { client } of [...this.#clients.values()]) client.close();
    this.#epoll.close();
  }
}
