// A printer of labels: a conversation of several steps, as a state machine on level-triggered epoll. It cannot stop in the
// middle of a loop, and it has three ends: that is the exercise.
// #region imports
import { EPOLLIN, Epoll, SO_REUSEADDR, SOCK_NONBLOCK, SOL_SOCKET, Socket, SyscallError } from "workbook/net";

// #endregion imports

// #region client
interface Client {
  socket: Socket;
  /** What has come and is not answered, a character for each byte. */
  unread: string;
  /** What the next line is. */
  state: "name" | "number of teas" | "tea" | "number of sheets";
  name: string;
  count: number;
  teas: string[];
  /** The orders that are done. */
  orders: number;
}
// #endregion client

const [mostTeas, mostSheets, mostLine] = [9, 100_000, 4096];

// #region main
const clients = new Map<number, Client>();
const epoll = new Epoll();

function main(port: number): void {
  const listener = new Socket();
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ port });
  listener.listen(128);
  listener.setBlocking(false);
  epoll.register(listener, EPOLLIN);
  console.log(`process ${process.pid} serves port ${port}`);

  while (true) {
    for (const { fd } of epoll.poll()) {
      if (fd === listener.fd) welcome(listener);
      else serve(clients.get(fd)!);
    }
  }
}

function welcome(listener: Socket): void {
  const next = listener.accept(SOCK_NONBLOCK);
  if (next === null) return;
  const { client: socket } = next;
  clients.set(socket.fd, {
    socket,
    unread: "",
    state: "name",
    name: "no name",
    count: 0,
    teas: [],
    orders: 0,
  });
  epoll.register(socket, EPOLLIN);
}
// #endregion main

// #region serve
function serve(client: Client): void {
  try {
    const data = client.socket.recv(16 * 1024);
    if (data === null) return;
    if (data.length === 0 || client.unread.length > mostLine) {
      leave(client);
      return;
    }
    const lines = (client.unread + data.toString("latin1")).split("\n");
    client.unread = lines.pop()!;
    for (const line of lines) {
      if (client.state === "name" && line === "bye") {
        say(client, "bye\n");
        leave(client);
        return;
      }
      step(client, line);
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    forget(client); // the connection is broken
  }
}

function leave(client: Client): void {
  forget(client);
  console.log(`left: ${client.name}, orders: ${client.orders}`);
}

function forget(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}
// #endregion serve

// #region step
/** The next step of the conversation. */
function step(client: Client, line: string): void {
  if (client.state === "name") beginOrder(client, line);
  else if (client.state === "number of teas") countTeas(client, line);
  else if (client.state === "tea") addTea(client, line);
  else print(client, line);
}

function beginOrder(client: Client, name: string): void {
  client.name = name;
  say(client, `hello ${name}, how many teas?\n`);
  client.state = "number of teas";
}

function countTeas(client: Client, line: string): void {
  client.count = numberIn(line, mostTeas);
  client.teas = [];
  say(client, client.count === 0 ? `sorry, a number from 1 to ${mostTeas}\n` : "tea 1?\n");
  client.state = client.count === 0 ? "name" : "tea";
}

function addTea(client: Client, tea: string): void {
  client.teas.push(tea);
  const isLast = client.teas.length === client.count;
  say(client, isLast ? "how many sheets?\n" : `tea ${client.teas.length + 1}?\n`);
  if (isLast) client.state = "number of sheets";
}

function print(client: Client, line: string): void {
  client.state = "name";
  const sheets = numberIn(line, mostSheets);
  if (sheets === 0) {
    say(client, `sorry, a number from 1 to ${mostSheets}\n`);
    return;
  }
  const sheet = client.teas.map(tea => `${client.name}: ${tea}\n`).join("");
  for (let i = 0; i < sheets; i++) say(client, sheet);
  say(client, `done, ${client.name}\n`);
  client.orders++;
}
// #endregion step

/** The number that this line is, or 0 if the line is no number from 1 to `most`. */
function numberIn(line: string, most: number): number {
  return /^\d{1,9}$/.test(line) && Number(line) <= most ? Number(line) : 0;
}

function say(client: Client, text: string): void {
  client.socket.send(Buffer.from(text, "latin1"));
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7910");
  process.exit(1);
}
