// What one wake-up costs, by the number of descriptors: a sweep of recv(), poll() and epoll side by side.
//
//   npx tsx cost.ts            a table
//   npx tsx cost.ts --json     a line of JSON for each row
//
// The descriptors are both ends of socket pairs: what one end sends, the other receives. First one descriptor of all is
// ready, then all of them are. A wake-up finds what is ready and reads it; the time of the sends before it is not counted.
import { EPOLLIN, Epoll, POLLIN, poll, SOCK_NONBLOCK, SOCK_STREAM, type Socket, socketPair } from "workbook/net";

const counts = [10, 30, 100, 300, 1000, 3000, 10_000];
const ways = ["sweep", "poll", "epoll"] as const;
type Way = (typeof ways)[number];
type Row = { ready: "one" | "all"; descriptors: number } & Record<Way, number>;

/** The descriptors that are watched. The partner of number i is number i ^ 1. */
const sockets: Socket[] = [];
const byFd = new Map<number, Socket>();
const watched: { fd: Socket; events: number }[] = [];
const epoll = new Epoll();
const buffer = Buffer.alloc(16);

/** Opens socket pairs until so many descriptors are watched. */
function open(count: number): void {
  while (sockets.length < count) {
    for (const socket of socketPair(SOCK_STREAM | SOCK_NONBLOCK)) {
      sockets.push(socket);
      byFd.set(socket.fd, socket);
      watched.push({ fd: socket, events: POLLIN });
      epoll.register(socket, EPOLLIN);
    }
  }
}

const read = (socket: Socket): number => (socket.recvInto(buffer) === null ? 0 : 1);
const readAll = (ready: readonly { fd: number }[]): number =>
  ready.reduce((found, { fd }) => found + read(byFd.get(fd)!), 0);

/** Each way to find and read what is ready. @returns how many messages it has read */
const wakeUp: Record<Way, () => number> = {
  sweep: () => sockets.reduce((found, socket) => found + read(socket), 0),
  poll: () => readAll(poll(watched)),
  epoll: () => readAll(epoll.poll()),
};

/** Makes descriptors ready, then measures the wake-ups until all are read. @returns microseconds */
function measure(way: Way, ready: readonly number[]): number {
  for (const i of ready) sockets[i ^ 1]!.send("x");
  const start = performance.now();
  for (let found = 0; found < ready.length; ) found += wakeUp[way]();
  return (performance.now() - start) * 1000;
}

/** The median of many measurements; the three ways take turns, so that what else the machine does hits all alike. */
function row(ready: Row["ready"]): Row {
  const all = [...sockets.keys()];
  const took: Record<Way, number[]> = { sweep: [], poll: [], epoll: [] };
  const begun = performance.now();
  for (let turn = 0; turn < 21 || (turn < 1001 && performance.now() - begun < 400); turn++) {
    // Each time another one: poll is not quicker for the first of its list.
    const which = ready === "all" ? all : [(turn * 7919) % all.length];
    for (const way of ways) took[way].push(measure(way, which));
  }
  const median = (way: Way) => took[way].sort((a, b) => a - b)[took[way].length >> 1]!;
  const rounded = ways.map(way => [way, Number(median(way).toPrecision(3))] as const);
  return { ready, descriptors: all.length, ...(Object.fromEntries(rounded) as Record<Way, number>) };
}

const json = process.argv.includes("--json");
open(1000);
for (let i = 0; i < 30; i++) for (const way of ways) measure(way, [...sockets.keys()]);
for (const r of ["one", "all"] as const) console.log(row(r));
for (const n of [3000, 10000]) { try { open(n); } catch (e) { console.log(String(e)); }
 for (const r of ["one", "all"] as const) console.log(row(r)); }
