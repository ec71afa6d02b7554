// A hub whose registrations stay: most tasks soon wait for the same again, so a line costs no epoll_ctl. What is reported
// and has no waiter is taken off the list then.
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, Epoll, type Socket } from "workbook/net";
import { listen, type Steps, type Wait } from "../solution/clients.ts";

interface Watched {
  mask: number;
  reader: Steps | null;
  writer: Steps | null;
}

const epoll = new Epoll();
const watched = new Map<number, Watched>();
let ready: (() => IteratorResult<Wait, void>)[] = [];
let living = 0;

function spawn(task: Steps): void {
  living++;
  enqueue(task);
}

/** @param error thrown where the task waits */
function enqueue(task: Steps, error?: Error): void {
  ready.push(() => {
    const step = error ? task.throw(error) : task.next();
    if (!step.done) park(task, step.value);
    return step;
  });
}

function run(): void {
  while (living > 0) {
    const turn = ready;
    ready = [];
    for (const resume of turn) {
      try {
        if (resume().done) living--;
      } catch (error) {
        living--;
        console.log((error as Error).stack);
      }
    }
    for (const event of epoll.poll(ready.length > 0 ? 0 : -1)) report(event.fd, event.events);
  }
}

function park(task: Steps, { fd, events }: Wait): void {
  const known = watched.get(fd);
  const entry = known ?? { mask: 0, reader: null, writer: null };
  const side = events === EPOLLIN ? "reader" : "writer";
  if (entry[side]) {
    enqueue(task, new Error(`fd ${fd} has a ${side} already`));
    return;
  }
  entry[side] = task;
  watched.set(fd, entry);
  if (entry.mask & events) return;
  entry.mask |= events;
  if (known) epoll.modify(fd, entry.mask);
  else epoll.register(fd, entry.mask);
}

function report(fd: number, events: number): void {
  const entry = watched.get(fd);
  if (!entry) return;
  const ends = EPOLLERR | EPOLLHUP;
  const { reader, writer } = entry;
  if (reader && events & (EPOLLIN | ends)) {
    entry.reader = null;
    enqueue(reader);
  }
  if (writer && events & (EPOLLOUT | ends)) {
    entry.writer = null;
    enqueue(writer);
  }
  if (!reader && !writer) forget(fd);
  else if ((events & EPOLLIN && !reader) || (events & EPOLLOUT && !writer)) {
    entry.mask = (entry.reader ? EPOLLIN : 0) | (entry.writer ? EPOLLOUT : 0);
    if (entry.mask) epoll.modify(fd, entry.mask);
    else forget(fd);
  }
}

function forget(fd: number): void {
  watched.delete(fd);
  epoll.unregister(fd);
}

function close(socket: Socket): void {
  const { fd } = socket;
  const entry = watched.get(fd);
  if (entry) {
    forget(fd);
    for (const task of [entry.reader, entry.writer]) {
      if (task) enqueue(task, new Error(`fd ${fd} was closed`));
    }
  }
  socket.close();
}

const port = Number(process.argv[2]);
spawn(listen({ spawn, close }, port));
run();
