// Wrapper loops. The two loops that wrapper.ts compares: they read how many pairs are wanted from standard input, and print
// microseconds of processor time for each echo.
import { createInterface } from "node:readline";
import { EPOLLIN, Epoll, epollDataOffset, epollEventBytes, lastErrno, native, Socket } from "../runtime.ts";

export interface Turns {
  bare: number[];
  wrapped: number[];
}

const message = Buffer.alloc(100, "x");
const room = Buffer.alloc(64 * 1024);
/** Some 20 ms of them at a time. */
const echoes = 5_000;

/** Two connected sockets. What is sent on the one arrives at the other before send returns: it is the same machine. */
function connected(): { here: Socket; there: Socket; epoll: Epoll; byFd: Map<number, Socket> } {
  const listener = new Socket();
  listener.bind({ port: 0 });
  listener.listen();
  const here = new Socket();
  here.connect(listener.localAddress());
  const there = listener.accept()!.client;
  listener.close();
  there.setBlocking(false);
  const epoll = new Epoll();
  epoll.register(there, EPOLLIN);
  return { here, there, epoll, byFd: new Map([[there.fd, there]]) };
}

const { here, epoll, byFd } = connected();

function wrapped(): void {
  here.send(message);
  for (const { fd, events } of epoll.poll()) {
    if ((events & EPOLLIN) === 0) throw new Error("not readable");
    const got = byFd.get(fd)!.recvInto(room);
    if (got !== message.length) throw new Error(`received ${got}`);
  }
}

const events = new Uint8Array(1024 * epollEventBytes);
const view = new DataView(events.buffer);

function bare(): void {
  if (native.send(here.fd, message, message.length, 0) === -1) throw new Error(`errno ${lastErrno()}`);
  const count = native.epoll_wait(epoll.fd, events, 1024, -1);
  if (count === -1) throw new Error(`errno ${lastErrno()}`);
  for (let i = 0, at = 0; i < count; i++, at += epollEventBytes) {
    if ((view.getUint32(at, true) & EPOLLIN) === 0) throw new Error("not readable");
    // A student without the wrapper would also look up the socket of the event.
    const { fd } = byFd.get(view.getInt32(at + epollDataOffset, true))!;
    const got = native.recv(fd, room, room.length, 0);
    if (got === -1) throw new Error(`errno ${lastErrno()}`);
    if (got !== message.length) throw new Error(`received ${got}`);
  }
}

/** Processor time, not the clock's: what else the machine does in between is not counted. */
function time(loop: () => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < echoes; i++) loop();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / echoes;
}

for await (const line of createInterface({ input: process.stdin })) {
  const turns: Turns = { bare: [], wrapped: [] };
  for (let warm = 0; warm < 10; warm++) {
    time(bare);
    time(wrapped);
  }
  for (let pair = 0; pair < Number(line); pair++) {
    const first = pair % 2 === 0;
    if (first) turns.bare.push(time(bare));
    turns.wrapped.push(time(wrapped));
    if (!first) turns.bare.push(time(bare));
  }
  console.log(JSON.stringify(turns));
}
