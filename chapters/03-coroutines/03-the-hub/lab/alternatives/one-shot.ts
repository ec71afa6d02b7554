// A hub with EPOLLONESHOT: an event disarms its registration by itself, and a park arms it again. It resumes a task while it
// looks through the events, so it looks up each number when it comes to its event.
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLONESHOT, EPOLLOUT, Epoll, type Socket } from "workbook/net";
import { listen, type Steps, type Wait } from "../solution/clients.ts";

const epoll = new Epoll();
const waiting = { [EPOLLIN]: new Map<number, Steps>(), [EPOLLOUT]: new Map<number, Steps>() };
const armed = new Set<number>();

function arm(fd: number): void {
  const mask = (waiting[EPOLLIN].has(fd) ? EPOLLIN : 0) | (waiting[EPOLLOUT].has(fd) ? EPOLLOUT : 0);
  if (mask === 0) return;
  if (armed.has(fd)) epoll.modify(fd, mask | EPOLLONESHOT);
  else epoll.register(fd, mask | EPOLLONESHOT);
  armed.add(fd);
}

/** Resumes the task, again and again as long as it may not wait for what it asks for. */
function go(task: Steps, error?: Error): void {
  let wrong = error;
  try {
    while (true) {
      const { done, value } = wrong === undefined ? task.next() : task.throw(wrong);
      if (done) return;
      const { fd, events } = value as Wait;
      const tasks = waiting[events as keyof typeof waiting];
      if (!tasks.has(fd)) {
        tasks.set(fd, task);
        arm(fd);
        return;
      }
      wrong = new Error(`descriptor ${fd} is waited for`);
    }
  } catch (thrown) {
    console.error(String(thrown));
  }
}

/** Takes the waiters for these events out of the maps. */
function take(fd: number, events: number): Steps[] {
  const tasks: Steps[] = [];
  for (const direction of [EPOLLIN, EPOLLOUT] as const) {
    const task = waiting[direction].get(fd);
    if (task === undefined || !(events & (direction | EPOLLERR | EPOLLHUP))) continue;
    waiting[direction].delete(fd);
    tasks.push(task);
  }
  return tasks;
}

const later: (() => void)[] = [];

function close(socket: Socket): void {
  const { fd } = socket;
  if (armed.delete(fd)) epoll.unregister(fd);
  for (const task of take(fd, EPOLLIN | EPOLLOUT)) {
    later.push(() => go(task, new Error(`descriptor ${fd} is closed`)));
  }
  socket.close();
}

const spawn = (task: Steps) => later.push(() => go(task));

spawn(listen({ spawn, close }, Number(process.argv[2])));
while (true) {
  for (let next = later.shift(); next; next = later.shift()) next();
  for (const { fd, events } of epoll.poll()) {
    const tasks = take(fd, events);
    arm(fd);
    for (const task of tasks) go(task);
  }
}
