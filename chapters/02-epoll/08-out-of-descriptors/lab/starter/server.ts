// A line echo server whose clients may take a name; a name has one client. It takes a number for a client, and has no
// answer to EMFILE and to SIGTERM: that is the exercise.
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  Epoll,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

// #region state
interface Client {
  socket: Socket;
  /** What has come of a line that is not whole, a character for each byte. */
  unread: string;
}

/** The connected clients, by descriptor: what epoll reports is a number. */
const clients = new Map<number, Client>();
/** The descriptors of the clients that have a name. */
const named = new Map<string, number>();
const epoll = new Epoll();
const mostLine = 4096;
// #endregion state

// #region turn
function main(port: number): void {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ port });
  listener.listen(128);
  listener.setBlocking(false);
  epoll.register(listener, EPOLLIN);
  console.log(`process ${process.pid} serves port ${port}`);

  while (true) {
    for (const { fd, events } of epoll.poll()) {
      if (fd === listener.fd) acceptAll(listener);
      else serve(clients.get(fd)!, events);
    }
  }
}
// #endregion turn

// #region accept
function acceptAll(listener: Socket): void {
  try {
    for (let next = listener.accept(SOCK_NONBLOCK); next !== null; next = listener.accept(SOCK_NONBLOCK)) {
      welcome(next.client);
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error; // no further client for now
  }
}
// #endregion accept

function welcome(socket: Socket): void {
  clients.set(socket.fd, { socket, unread: "" });
  epoll.register(socket, EPOLLIN);
}

// #region serve
function serve(client: Client, events: number): void {
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
  const other = clients.get(named.get(name) ?? -1);
  if (other && other !== client) leave(other);
  named.set(name, client.socket.fd);
}
// #endregion rename

// #region leave
function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}
// #endregion leave

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7905");
  process.exit(1);
}
