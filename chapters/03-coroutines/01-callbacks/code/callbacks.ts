// Server of callbacks. One loop over epoll_wait serves all clients; what a client needs next is in its row of a table.
import { EPOLLIN, EPOLLOUT, Epoll, type Socket } from "workbook/net";
import { Lines, listen, toNumber } from "./parts.ts";

// #region client
interface Client {
  socket: Socket;
  lines: Lines;
  cups: number;
  cup: number;
  /** What is to be done with the next line. */
  onLine: (line: string) => void;
  unsent: Uint8Array;
  isServed: boolean;
}

const clients = new Map<number, Client>();
// #endregion client
const epoll = new Epoll();

// #region serve
function serve(client: Client): void {
  askNumber(client, "Cups?", cups => {
    client.cups = cups;
    nextCup(client);
  });
}

function nextCup(client: Client): void {
  client.cup++;
  if (client.cup > client.cups) {
    askTip(client);
    return;
  }
  ask(client, `Cup ${client.cup}?`, tea => {
    say(client, `Cup ${client.cup} is ${tea}.`);
    nextCup(client);
  });
}

function askTip(client: Client): void {
  askNumber(client, "Tip?", tip => {
    say(client, `Thank you for ${tip}.`);
    client.isServed = true;
  });
}

function askNumber(client: Client, question: string, onNumber: (value: number) => void): void {
  ask(client, question, line => onNumber(toNumber(line)));
}

function ask(client: Client, question: string, onLine: (line: string) => void): void {
  say(client, question);
  client.onLine = onLine;
}
// #endregion serve

function say(client: Client, text: string): void {
  client.unsent = Buffer.concat([client.unsent, Buffer.from(`${text}\n`, "latin1")]);
}

// #region events
function onReadable(client: Client): void {
  const bytes = client.socket.recv(1024);
  if (bytes === null) return;
  if (bytes.length === 0) {
    leave(client);
    return;
  }
  client.lines.push(bytes);
  goOn(client);
}

function onWritable(client: Client): void {
  goOn(client);
}

/** Sends, and takes lines while all has been sent. */
function goOn(client: Client): void {
  while (flush(client)) {
    if (client.isServed) {
      leave(client);
      return;
    }
    const line = client.lines.next();
    if (line === null) break;
    client.onLine(line);
  }
  epoll.modify(client.socket, client.unsent.length > 0 ? EPOLLOUT : EPOLLIN);
}

/** @returns whether all has been sent */
function flush(client: Client): boolean {
  while (client.unsent.length > 0) {
    const sent = client.socket.send(client.unsent);
    if (sent === null) return false;
    client.unsent = client.unsent.subarray(sent);
  }
  return true;
}

function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}
// #endregion events

function acceptAll(listener: Socket): void {
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    const { client: socket } = arrival;
    socket.setBlocking(false);
    const client: Client = {
      socket,
      lines: new Lines(),
      cups: 0,
      cup: 0,
      onLine: () => {},
      unsent: Buffer.alloc(0),
      isServed: false,
    };
    clients.set(socket.fd, client);
    epoll.register(socket, EPOLLOUT);
    serve(client);
  }
}

const listener = listen(Number(process.argv[2]));
listener.setBlocking(false);
epoll.register(listener, EPOLLIN);
// #region loop
while (true) {
  for (const { fd, events } of epoll.poll()) {
    if (fd === listener.fd) acceptAll(listener);
    const client = clients.get(fd);
    if (!client) continue;
    try {
      if (events & EPOLLOUT) onWritable(client);
      else onReadable(client);
    } catch (error) {
      console.error(error);
      leave(client);
    }
  }
}
// #endregion loop
