// The hub, for tasks that are async functions. It settles the promise of each event, lets Node run what awaits it, and then
// sleeps in epoll_wait. The tasks are in clients.ts.
import { EPOLLERR, EPOLLHUP, Epoll, type Socket } from "workbook/net";
import { listen } from "./clients.ts";

// #region state
/** The two ends of a promise for which a task waits. */
interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

const epoll = new Epoll();
/** Who waits, by descriptor and then by EPOLLIN or EPOLLOUT. Only these are registered. */
const parked = new Map<number, Map<number, Waiter>>();
/** The tasks that have let others run, and go on in the next turn. */
const passing: (() => void)[] = [];
// #endregion state

// #region spawn
/** Runs a new task until it waits. An error ends it, and no other task. */
function spawn(task: () => Promise<void>): void {
  task().catch(error => console.error(`A task ended with an error: ${error}`));
}
// #endregion spawn

// #region run
/** Runs the tasks until all have ended. */
async function run(): Promise<void> {
  while (true) {
    // Node calls back when the queue of microtasks is empty: all that can go on has gone on.
    await new Promise(setImmediate);
    if (parked.size === 0 && passing.length === 0) return;
    const ready = passing.splice(0);
    for (const { fd, events } of epoll.poll(ready.length > 0 ? 0 : -1)) wake(fd, events);
    for (const goOn of ready) goOn();
  }
}
// #endregion run

// #region wait
/** The task waits, unless another task waits for the same. */
async function wait({ fd }: Socket, events: number): Promise<void> {
  const waiters = parked.get(fd) ?? new Map<number, Waiter>();
  if (waiters.has(events)) throw new Error(`another task waits for descriptor ${fd} already`);
  await new Promise<void>((resolve, reject) => {
    waiters.set(events, { resolve, reject });
    watch(fd, waiters);
  });
}
// #endregion wait

// #region pass
/** The task goes on in the next turn: what epoll reports comes first. */
function pass(): Promise<void> {
  return new Promise(resolve => passing.push(resolve));
}
// #endregion pass

// #region wake
/** Settles the promises of these events. */
function wake(fd: number, events: number): void {
  const waiters = parked.get(fd)!;
  for (const [direction, { resolve }] of waiters) {
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
/** Closes a socket. The tasks that wait for it go on with an error: the next client may get its number. */
function close(socket: Socket): void {
  const { fd } = socket;
  const waiters = parked.get(fd);
  if (waiters !== undefined) {
    for (const { reject } of waiters.values()) {
      reject(new Error(`descriptor ${fd} was closed while a task waited for it`));
    }
    waiters.clear();
    watch(fd, waiters);
  }
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
