// A hub with edge-triggered epoll: a descriptor is registered once, for both directions, and an event for which no task waits
// is not reported again. A task makes its call before it waits, so no byte is missed.
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, Epoll, type Socket } from "workbook/net";
import { type Hub, listen, type Steps, type Wait } from "../solution/clients.ts";

class EdgeHub implements Hub {
  readonly #epoll = new Epoll();
  readonly #registered = new Set<number>();
  readonly #parked = new Map<string, Steps>();
  readonly #ready: { task: Steps; error: Error | null }[] = [];

  spawn = (task: Steps): void => {
    this.#ready.push({ task, error: null });
  };

  close = (socket: Socket): void => {
    const { fd } = socket;
    if (this.#registered.delete(fd)) this.#epoll.unregister(fd);
    this.#wake(fd, EPOLLIN | EPOLLOUT, new Error(`descriptor ${fd} is closed`));
    socket.close();
  };

  run(): void {
    do {
      while (this.#ready.length > 0) this.#step(this.#ready.shift()!);
      for (const { fd, events } of this.#epoll.poll()) this.#wake(fd, events, null);
    } while (this.#ready.length > 0 || this.#parked.size > 0);
  }

  #step({ task, error }: { task: Steps; error: Error | null }): void {
    let step: IteratorResult<Wait, void>;
    try {
      step = error ? task.throw(error) : task.next();
    } catch (thrown) {
      console.log("a task failed:", thrown);
      return;
    }
    if (step.done) return;
    const { fd, events } = step.value;
    const key = `${fd} ${events}`;
    if (this.#parked.has(key)) {
      this.#step({ task, error: new Error("two tasks wait for the same") });
      return;
    }
    this.#parked.set(key, task);
    if (this.#registered.has(fd)) return;
    this.#registered.add(fd);
    this.#epoll.register(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }

  #wake(fd: number, events: number, error: Error | null): void {
    const both = events & (EPOLLERR | EPOLLHUP) ? EPOLLIN | EPOLLOUT : events;
    for (const direction of [EPOLLIN, EPOLLOUT]) {
      const key = `${fd} ${direction}`;
      const task = both & direction ? this.#parked.get(key) : undefined;
      if (!task) continue;
      this.#parked.delete(key);
      this.#ready.push({ task, error });
    }
  }
}

const hub = new EdgeHub();
const port = Number(process.argv[2]);
hub.spawn(listen(hub, port));
hub.run();
