// The cost of one wake-up, by the number of descriptors: a sweep of recv(), poll() and epoll side by side.
//
//   npx tsx cost.ts            a table
//   npx tsx cost.ts --json     the same as lines of JSON
//
// The descriptors are both ends of socket pairs: what one end sends, its partner receives. First one descriptor is ready
// and all others are idle, then all are ready. A wake-up finds what is ready and reads it. The send before it is not
// measured, and no call has to sleep.
import {
  EPOLLIN,
  Epoll,
  getLimit,
  POLLIN,
  poll,
  RLIMIT_NOFILE,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  type Socket,
  SyscallError,
  socketPair,
} from "workbook/net";

const counts = [10, 30, 100, 300, 1000, 3000, 10_000];
const ways = ["sweep", "poll", "epoll"] as const;
type Way = (typeof ways)[number];

/** The descriptors. The partner of number i is number i ^ 1. */
const sockets: Socket[] = [];
const byFd = new Map<number, Socket>();
const list: { fd: Socket; events: number }[] = [];
const epoll = new Epoll();
const buffer = Buffer.alloc(16);

/** Opens socket pairs until there are so many descriptors. */
function open(count: number): void {
  while (sockets.length < count) {
    for (const socket of socketPair(SOCK_STREAM | SOCK_NONBLOCK)) {
      sockets.push(socket);
      byFd.set(socket.fd, socket);
      list.push({ fd: socket, events: POLLIN });
      epoll.register(socket, EPOLLIN);
    }
  }
}

// #region ways
/** Three ways to find what is ready, and to read it. @returns how many messages came */
const wakeUp: Record<Way, () => number> = {
  sweep: () => readAll(sockets),
  poll: () => readAll(poll(list).map(({ fd }) => byFd.get(fd)!)),
  epoll: () => readAll(epoll.poll().map(({ fd }) => byFd.get(fd)!)),
};

function readAll(some: readonly Socket[]): number {
  let messages = 0;
  for (const socket of some) if (socket.recvInto(buffer) !== null) messages++;
  return messages;
}
// #endregion ways

/** Makes these descriptors ready, and reads all messages. @returns microseconds */
function measure(way: Way, ready: readonly number[]): number {
  for (const i of ready) sockets[i ^ 1]!.send("x");
  const start = performance.now();
  for (let messages = 0; messages < ready.length; ) messages += wakeUp[way]();
  return (performance.now() - start) * 1000;
}

/** The medians of many wake-ups, in microseconds. The three ways take turns: a busy machine then slows all of them. */
function medians(ready: "one" | "all"): Record<Way, number> {
  const took: Record<Way, number[]> = { sweep: [], poll: [], epoll: [] };
  const all = [...sockets.keys()];
  const start = performance.now();
  for (let turn = 0; turn < 15 || (turn < 1000 && performance.now() - start < 300); turn++) {
    // Another one each time, because the place in the list may matter.
    const which = ready === "all" ? all : [(turn * 7919) % all.length];
    for (const way of ways) took[way].push(measure(way, which));
  }
  const median = (way: Way) => took[way].sort((a, b) => a - b)[took[way].length >> 1]!;
  const rounded = (way: Way) => Number(median(way).toPrecision(3));
  return { sweep: rounded("sweep"), poll: rounded("poll"), epoll: rounded("epoll") };
}

function main(json: boolean): void {
  const cells = (...all: (string | number)[]) =>
    all.map(one => one.toLocaleString("en").padStart(9)).join("");
  if (!json) {
    console.log("µs for a wake-up      one is ready                all are ready");
    console.log(cells("of", ...ways, ...ways));
  }
  for (const count of counts) {
    try {
      open(count);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      const { hard } = getLimit(RLIMIT_NOFILE);
      console.log(
        json ? JSON.stringify({ limit: hard }) : `No more: the limit is ${hard} descriptors (ulimit -Hn).`,
      );
      return;
    }
    // The first calls of a program pay for compilers and caches.
    if (count === counts[0]) for (let i = 0; i < 1500; i++) for (const way of ways) measure(way, [i % count]);
    const [one, all] = [medians("one"), medians("all")];
    if (!json) console.log(cells(count, ...ways.map(way => one[way]), ...ways.map(way => all[way])));
    else
      for (const [ready, costs] of Object.entries({ one, all }))
        console.log(JSON.stringify({ ready, count, ...costs }));
  }
}

main(process.argv.includes("--json"));
