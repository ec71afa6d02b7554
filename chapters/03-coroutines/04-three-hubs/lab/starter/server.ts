// A hub for tasks that are async functions. It sleeps while a task could go on, and it loses tasks: their promises are never
// settled, or rejected where no code awaits them. That is the exercise. The tasks are in clients.ts.
import { EPOLLERR, EPOLLHUP, Epoll, type Socket } from "workbook/net";
import { listen } from "./clients.ts";

// #region state
/** Resolves the promise for which a task waits. */
type Waiter = () => void;

const epoll = new Epoll();
/** Who waits, by descriptor and then by EPOLLIN or EPOLLOUT. Only these are registered. */
const parked = new Map<number, Map<number, Waiter>>();
// #endregion state

// #region spawn
/** Runs a new task until it waits. */
function spawn(task: () => Promise<void>): void {
  void task();
}
// #endregion spawn

// #region run
async function run(): Promise<void> {
  while (true) {
    await null;
    for (const { fd, events } of epoll.poll()) wake(fd, events);
  }
}
// #endregion run

// #region wait
function wait({ fd }: Socket, events: number): Promise<void> {
  const waiters = parked.get(fd) ?? new Map<number, Waiter>();
  return new Promise(resolve => {
    waiters.set(events, resolve);
    watch(fd, waiters);
  });
}
// #endregion wait

// #region pass
async function pass(): Promise<void> {}
// #endregion pass

// #region wake
/** Resolves the promises of these events. */
function wake(fd: number, events: number): void {
  const waiters = parked.get(fd)!;
  for (const [direction, resolve] of waiters) {
    if ((events & (direction | EPOLLERR | EPOLLHUP)) === 0) continue;
    waiters.delete(direction);
    resolve();
  }
  watch(fd, waiters);
}

/** Asks epoll for what these tasks wait for, and for nothing else: any other event would be reported again and again. */
function watch(fd: number, waiters: Map<number, Waiter>): void {
  let mask = 0;
  for (const direction of waiters.keys()) mask |= direction;
  if (mask === 0) {
    epoll.unregister(fd);
    parked.delete(fd);
  } else if (parked.has(fd)) {
    epoll.modify(fd, mask);
  } else {
    parked.set(fd, waiters);
    epoll.register(fd, mask);
  }
}
// #endregion wake

// #region close
function close(socket: Socket): void {
  if (parked.delete(socket.fd)) epoll.unregister(socket);
  socket.close();
}
// #endregion close

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  spawn(() => listen({ spawn, wait, pass, close }, port));
  await run();
} else {
  console.log("run it like this: npx tsx server.ts 7912");
  process.exit(1);
}
