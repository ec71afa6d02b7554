// A line echo server that runs out of descriptors and goes on. Its clients may take a name, and a name has one client. At
// SIGTERM it answers what has come, and ends.
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  Epoll,
  SFD_NONBLOCK,
  SIGTERM,
  SignalFd,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

// #region state
interface Client {
  socket: Socket;
  name: string;
  /** What has come of a line that is not whole, a character for each byte. */
  unread: string;
}

/** The connected clients, by descriptor: what epoll reports is a number. */
const clients = new Map<number, Client>();
/** The clients that have a name. A name belongs to a client, and not to a number. */
const named = new Map<string, Client>();
const epoll = new Epoll();
const mostLine = 4096;
// #endregion state

// #region turn
function main(port: number): void {
  const signals = new SignalFd([SIGTERM], SFD_NONBLOCK);
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ port });
  listener.listen(128);
  listener.setBlocking(false);
  epoll.register(listener, EPOLLIN);
  epoll.register(signals, EPOLLIN); // SIGTERM is an event now, and wakes epoll_wait
  console.log(`process ${process.pid} serves port ${port}`);

  while (true) {
    const pause = retryAt - now();
    if (pause <= 0) watchListener(listener);
    let [clientsWait, ending] = [false, false];
    for (const { fd, events } of epoll.poll(pause > 0 ? pause : -1)) {
      if (fd === listener.fd) clientsWait = true;
      else if (fd === signals.fd) ending = true;
      else serve(clients.get(fd), events);
    }
    // Behind all events of this batch: before that, no new client gets the number of a client that has left.
    if (clientsWait || ending) acceptAll(listener);
    if (ending) break;
  }
  epoll.unregister(signals);
  epoll.unregister(listener);
  listener.close();
  answerAll();
}
// #endregion turn

// #region stop
/** What has come before SIGTERM is ready. Level-triggered, an empty list says that all of it is answered. */
function answerAll(): void {
  let ready = epoll.poll(0);
  // A client may send without a pause: not for ever.
  for (let most = 64; most > 0 && ready.length > 0; most--) {
    for (const { fd, events } of ready) serve(clients.get(fd), events);
    ready = epoll.poll(0);
  }
  for (const client of clients.values()) leave(client);
}
// #endregion stop

// #region accept
const never = Number.POSITIVE_INFINITY;
/** Without a free descriptor: how long until accept is tried again, in milliseconds, although no client has left. */
const backOffMs = 500;
/** When that is; never: the listener is watched. */
let retryAt = never;
/** The last accept has failed. The reason is printed once. */
let crowded = false;

function acceptAll(listener: Socket): void {
  try {
    for (let next = listener.accept(SOCK_NONBLOCK); next !== null; next = listener.accept(SOCK_NONBLOCK)) {
      welcome(next.client);
    }
    crowded = false;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (!crowded) console.log(`${clients.size} clients, and no further one for now: ${error.code}`);
    crowded = true;
    epoll.modify(listener, 0); // it stays ready, and each epoll_wait would report it
    retryAt = now() + backOffMs;
  }
}

/** Level-triggered: the next epoll_wait reports the clients that wait already. */
function watchListener(listener: Socket): void {
  epoll.modify(listener, EPOLLIN);
  retryAt = never;
}

function now(): number {
  return performance.now();
}
// #endregion accept

function welcome(socket: Socket): void {
  clients.set(socket.fd, { socket, name: "", unread: "" });
  epoll.register(socket, EPOLLIN);
}

// #region serve
function serve(client: Client | undefined, events: number): void {
  if (!client) return; // an earlier event of this batch has ended it
  try {
    if (events & (EPOLLERR | EPOLLHUP) || !hear(client)) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // the connection is broken
  }
}
// #endregion serve

/** Reads once, and answers. @returns false when this client has left, or does not read its answers */
function hear(client: Client): boolean {
  const data = client.socket.recv(16 * 1024);
  if (data === null) return true;
  if (data.length === 0 || client.unread.length > mostLine) return false;
  const answers = Buffer.from(answer(client, data), "latin1");
  return client.socket.send(answers) === answers.length;
}

/** The answers to the lines that these bytes complete. */
function answer(client: Client, data: Buffer): string {
  const lines = (client.unread + data.toString("latin1")).split("\n");
  client.unread = lines.pop()!;
  return lines.map(line => `${reply(client, line)}\n`).join("");
}

/** Each line is its own answer, but "I am NAME" gives the client a name. */
function reply(client: Client, line: string): string {
  const name = /^I am (\w+)$/.exec(line)?.[1];
  if (name === undefined) return line;
  rename(client, name);
  return `hello ${name}`;
}

// #region rename
/** A name has one client: the connection of the client that had it ends. */
function rename(client: Client, name: string): void {
  const other = named.get(name);
  if (other && other !== client) leave(other);
  forgetName(client);
  client.name = name;
  named.set(name, client);
}

function forgetName(client: Client): void {
  if (named.get(client.name) === client) named.delete(client.name);
}
// #endregion rename

// #region leave
function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  forgetName(client);
  client.socket.close();
  if (retryAt < never) retryAt = now(); // a client that waits may have its descriptor
}
// #endregion leave

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7905");
  process.exit(1);
}
