// Load generator. A process with many keep-alive connections, one request under way on each, one epoll, no trace. It
// reads one job a line from standard input, and writes one result a line.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  EPOLLIN,
  Epoll,
  epollDataOffset,
  epollEventBytes,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  native,
  SOL_SOCKET,
  Socket,
} from "../runtime.ts";
import { cpuMicros } from "./cpu.ts";
import { type Expected, ReplyReader, understand } from "./reply.ts";

export interface Job {
  port: number;
  /** "/small.html" */
  target: string;
  /** The file that must come. */
  file: string;
  connections: number;
  /** What is measured, after a tenth of it that is not. */
  seconds: number;
  /** The process whose processor time is measured. */
  pids: number[];
}

export interface Result {
  /** Right answers. */
  requests: number;
  seconds: number;
  /** Processor time of the server, in microseconds. */
  cpu: number;
  /** The first thing that was wrong; null: nothing was. */
  wrong: string | null;
}

const room = Buffer.allocUnsafeSlow(256 * 1024);
const most = 256;
const events = new Uint8Array(most * epollEventBytes);
const words = new Int32Array(events.buffer);
const stride = epollEventBytes / 4;
const dataWord = epollDataOffset / 4;

/** Does one job. Blocks until it is done: there is nothing else that this process is for. */
export function work(job: Job): Result {
  const sockets: Socket[] = [];
  const epoll = new Epoll();
  try {
    return drive(job, sockets, epoll);
  } catch (error) {
    return { requests: 0, seconds: 0, cpu: 0, wrong: (error as Error).message };
  } finally {
    for (const socket of sockets) socket.close();
    epoll.close();
  }
}

function drive(job: Job, sockets: Socket[], epoll: Epoll): Result {
  const request = Buffer.from(`GET ${job.target} HTTP/1.1\r\nHost: 127.0.0.1:${job.port}\r\n\r\n`);
  const body = readFileSync(job.file);
  const answers: ReplyReader[] = [];
  let expected: Expected | null = null;
  for (let i = 0; i < job.connections; i++) {
    const socket = new Socket();
    sockets.push(socket);
    socket.connect({ port: job.port });
    // Each connection's first answer is looked at whole: a head may differ, with another server process behind it.
    expected = ask(socket, request, body);
    answers[socket.fd] = new ReplyReader(expected);
    epoll.register(socket, EPOLLIN);
  }
  for (const socket of sockets) native.send(socket.fd, request, request.length, MSG_NOSIGNAL);
  spin(epoll.fd, answers, request, job.seconds / 10);
  const before = cpuMicros(job.pids);
  const began = performance.now();
  const { requests, wrong } = spin(epoll.fd, answers, request, job.seconds);
  const seconds = (performance.now() - began) / 1000;
  return { requests, seconds, cpu: cpuMicros(job.pids) - before, wrong };
}

/** SO_RCVTIMEO of <asm-generic/socket.h>: how long a recv that blocks may take, as a struct timeval. See socket(7). */
const SO_RCVTIMEO = 20;
const patience = new BigInt64Array([3n, 0n]);

/** One request and its answer, on a socket that blocks. */
function ask(socket: Socket, request: Buffer, body: Buffer): Expected {
  socket.setOption(SOL_SOCKET, SO_RCVTIMEO, patience);
  socket.send(request);
  let received: Buffer = Buffer.alloc(0);
  for (;;) {
    const piece = socket.recv(256 * 1024);
    if (piece === null) throw new Error("it has not answered for three seconds");
    if (piece.length === 0) throw new Error("it closed the connection instead of answering");
    received = received.length === 0 ? piece : Buffer.concat([received, piece]);
    const understood = understand(received, body);
    if (typeof understood === "string") throw new Error(understood);
    if (understood !== null) return understood;
  }
}

/** The hot loop: what has come is counted, and the next request sent. */
function spin(
  epfd: number,
  answers: readonly ReplyReader[],
  request: Buffer,
  seconds: number,
): { requests: number; wrong: string | null } {
  const until = performance.now() + seconds * 1000;
  let requests = 0;
  while (performance.now() < until) {
    const count = native.epoll_wait(epfd, events, most, 1000);
    if (count === 0) return { requests, wrong: "it has not answered for a second" };
    for (let i = 0, at = dataWord; i < count; i++, at += stride) {
      const fd = words[at]!;
      const got = native.recv(fd, room, room.length, MSG_DONTWAIT);
      if (got <= 0) return { requests, wrong: "it closed a connection" };
      const state = answers[fd]!.add(room, got);
      if (state === -1) return { requests, wrong: "one of its answers was wrong" };
      if (state === 0) continue;
      requests++;
      native.send(fd, request, request.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  }
  return { requests, wrong: null };
}

if (process.argv[1] === import.meta.filename) {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(work(JSON.parse(line) as Job)));
  }
}
