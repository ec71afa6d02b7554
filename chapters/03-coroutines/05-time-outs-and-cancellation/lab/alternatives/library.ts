// The same server on workbook/tasks: a nursery for each request, in which one task watches the client.
import { EPOLLRDHUP, Epoll, type Socket } from "workbook/net";
import {
  accept as acceptOn,
  connect,
  nursery,
  readable,
  recv,
  run,
  type Steps,
  send,
  sleep,
  spawn,
  timeout,
} from "workbook/tasks";
import { listenOn } from "../solution/calls.ts";

interface Client {
  socket: Socket;
  unread: string;
}

class ClientLeft extends Error {}

function* listen(listener: Socket): Steps<void> {
  while (true) spawn(serve((yield* acceptOn(listener)).client));
}

function* serve(socket: Socket): Steps<void> {
  const client = { socket, unread: "" };
  try {
    while (client.unread !== "" || (yield* more(client))) yield* timeout(2000, request(client));
  } catch (error) {
    if (!(error instanceof ClientLeft)) yield* send(socket, `error: ${(error as Error).message}\n`);
  } finally {
    socket.close();
  }
}

function* more(client: Client): Steps<boolean> {
  const bytes = yield* recv(client.socket, 4096);
  client.unread += bytes.toString("latin1");
  return bytes.length > 0;
}

function* line(client: Client): Steps<string> {
  while (!client.unread.includes("\n")) if (!(yield* more(client))) throw new Error("the stream has ended");
  const [first = "", ...rest] = client.unread.split("\n");
  client.unread = rest.join("\n");
  return first;
}

function* request(client: Client): Steps<void> {
  const text = yield* line(client);
  const reply = /^(wait \d+$|\d+ )/.test(text) ? yield* whileConnected(client.socket, answer(text)) : text;
  yield* send(client.socket, Buffer.from(`${reply}\n`, "latin1"));
}

function* whileConnected(socket: Socket, steps: Steps<string>): Steps<string> {
  return yield* nursery(function* (scope) {
    const watcher = scope.spawn(watch(socket));
    try {
      return yield* steps;
    } finally {
      watcher.cancel();
    }
  });
}

/** Ends with an error when the client's stream has ended: an epoll instance of its own is readable then. */
function* watch(socket: Socket): Steps<void> {
  const epoll = new Epoll();
  try {
    epoll.register(socket, EPOLLRDHUP);
    yield* readable(epoll.fd);
    throw new ClientLeft("the client has left");
  } finally {
    epoll.close();
  }
}

function* answer(text: string): Steps<string> {
  const [, ms] = /^wait (\d+)$/.exec(text) ?? [];
  if (ms !== undefined) {
    yield* sleep(Number(ms));
    return `waited ${ms}`;
  }
  if (!/^\d+ /.test(text)) return text;
  return yield* nursery(function* (scope) {
    const parts = text.split(" + ").map(part => scope.spawn(timeout(1000, ask(part))));
    const answers: string[] = [];
    for (const part of parts) answers.push(yield* part.join());
    return answers.join(" + ");
  });
}

function* ask(part: string): Steps<string> {
  const [, port, dish] = /^(\d+) (.*)$/.exec(part)!;
  const socket = yield* connect({ host: "127.0.0.1", port: Number(port) });
  try {
    yield* send(socket, Buffer.from(`${dish}\n`, "latin1"));
    return yield* line({ socket, unread: "" });
  } finally {
    socket.close();
  }
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  run(listen(listenOn(port)));
} else {
  console.log("run it like this: npx tsx server.ts 7913");
  process.exit(1);
}
