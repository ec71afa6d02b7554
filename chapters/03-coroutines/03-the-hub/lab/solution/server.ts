// The hub. It runs the tasks that are ready, each until it waits, and sleeps in epoll_wait when none is. The tasks are in
// clients.ts.
import { EPOLLERR, EPOLLHUP, Epoll, type Socket } from "workbook/net";
import { listen, type Steps, type Wait } from "./clients.ts";

// #region state
/** A task that can go on: its `yield` returns or, with an error, throws. */
interface Turn {
  task: Steps;
  error?: Error;
}

const epoll = new Epoll();
const ready: Turn[] = [];
/** The tasks that wait, by descriptor and then by EPOLLIN or EPOLLOUT. Only these are registered. */
const parked = new Map<number, Map<number, Steps>>();
// #endregion state

// #region spawn
/** A new task: it runs in this turn. */
function spawn(task: Steps): void {
  ready.push({ task });
}
// #endregion spawn

// #region run
/** Runs the tasks until all have ended. */
function run(): void {
  while (true) {
    for (let next = ready.shift(); next !== undefined; next = ready.shift()) resume(next);
    if (parked.size === 0) return;
    for (const { fd, events } of epoll.poll()) wake(fd, events);
  }
}
// #endregion run

// #region resume
/** Runs a task until it waits or ends. */
function resume({ task, error }: Turn): void {
  try {
    const step = error === undefined ? task.next() : task.throw(error);
    if (!step.done) park(task, step.value);
  } catch (thrown) {
    console.error(`A task ended with an error: ${thrown}`);
  }
}
// #endregion resume

// #region park
/** The task waits, unless another task waits for the same. */
function park(task: Steps, { fd, events }: Wait): void {
  const waiters = parked.get(fd);
  if (waiters?.has(events)) {
    ready.push({ task, error: new Error(`another task waits for descriptor ${fd} already`) });
  } else if (waiters === undefined) {
    parked.set(fd, new Map([[events, task]]));
    epoll.register(fd, events);
  } else {
    waiters.set(events, task);
    watch(fd, waiters);
  }
}
// #endregion park

// #region wake
/** The tasks that wait for one of these events are ready. */
function wake(fd: number, events: number): void {
  const waiters = parked.get(fd)!;
  for (const [direction, task] of waiters) {
    if ((events & (direction | EPOLLERR | EPOLLHUP)) === 0) continue;
    waiters.delete(direction);
    ready.push({ task });
  }
  watch(fd, waiters);
}

/** Asks epoll for what these tasks wait for, and for nothing else: any other event would be reported again and again. */
function watch(fd: number, waiters: Map<number, Steps>): void {
  let mask = 0;
  for (const direction of waiters.keys()) mask |= direction;
  if (mask !== 0) {
    epoll.modify(fd, mask);
  } else {
    epoll.unregister(fd);
    parked.delete(fd);
  }
}
// #endregion wake

// #region close
/** Closes a socket. The tasks that wait for it go on with an error: the next client may get its number. */
function close(socket: Socket): void {
  const { fd } = socket;
  const waiters = parked.get(fd);
  if (waiters !== undefined) {
    for (const task of waiters.values()) {
      ready.push({ task, error: new Error(`descriptor ${fd} was closed while a task waited for it`) });
    }
    waiters.clear();
    watch(fd, waiters);
  }
  socket.close();
}
// #endregion close

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  spawn(listen({ spawn, close }, port));
  run();
} else {
  console.log("run it like this: npx tsx server.ts 7911");
  process.exit(1);
}
