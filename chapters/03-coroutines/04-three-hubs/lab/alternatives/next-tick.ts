// A hub on process.nextTick, which Node calls when the queue of microtasks is empty, too. Node’s event loop gets no turn. The
// registrations are one-shot, and a socket that is closed resolves its promises: the next call of the task throws.
import { EPOLLIN, EPOLLONESHOT, EPOLLOUT, Epoll, type Socket } from "workbook/net";
import { listen } from "../solution/clients.ts";

class Watched {
  reader: (() => void) | null = null;
  writer: (() => void) | null = null;

  get mask(): number {
    return (this.reader === null ? 0 : EPOLLIN) | (this.writer === null ? 0 : EPOLLOUT);
  }

  wake(events: number): void {
    const { reader, writer } = this;
    if ((events & ~EPOLLOUT) !== 0) this.reader = null;
    if ((events & ~EPOLLIN) !== 0) this.writer = null;
    if (this.reader === null) reader?.();
    if (this.writer === null) writer?.();
  }
}

const epoll = new Epoll();
const watched = new Map<number, Watched>();
let passing: (() => void)[] = [];

const hub = {
  async spawn(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      console.error("A task ended:", error);
    }
  },
  wait(socket: Socket, events: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const one = watched.get(socket.fd) ?? new Watched();
      const place = events === EPOLLIN ? "reader" : "writer";
      if (one[place] !== null) return reject(new Error("there is a waiter"));
      one[place] = resolve;
      if (watched.has(socket.fd)) epoll.modify(socket, one.mask | EPOLLONESHOT);
      else epoll.register(socket, one.mask | EPOLLONESHOT);
      watched.set(socket.fd, one);
    });
  },
  pass: () => new Promise<void>(resolve => passing.push(resolve)),
  close(socket: Socket): void {
    const one = watched.get(socket.fd);
    watched.delete(socket.fd);
    socket.close(); // the kernel unregisters it
    one?.wake(EPOLLIN | EPOLLOUT);
  },
};

void hub.spawn(() => listen(hub, Number(process.argv[2])));
while (true) {
  await new Promise<void>(resolve => process.nextTick(resolve));
  const passed = passing;
  passing = [];
  for (const { fd, events } of epoll.poll(passed.length > 0 ? 0 : -1)) {
    const one = watched.get(fd)!;
    one.wake(events);
    if (one.mask !== 0) epoll.modify(fd, one.mask | EPOLLONESHOT);
  }
  for (const goOn of passed) goOn();
}
