// A waiter with many kitchens, woken by epoll: each line of a client names a kitchen by its port, and a dish, such as
// "9001 green tea". The server tests the bits that it has asked for, and no others. That is the exercise.
import {
  AF_INET,
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

/** 0 is level-triggered, EPOLLET edge-triggered. */
const mode: number = 0;
/** The longest line. A new connection has room for it, so one send() takes all of it. Answers are short, too. */
const mostBytes = 4096;

interface Client {
  socket: Socket;
  /** What has come and is not answered. One character is one byte. */
  unread: string;
  /** The kitchen of the order under way. Until it has answered, the client's other orders stay in the kernel. */
  kitchen: Socket | null;
  /** What the kitchen gets when the handshake is over; "": it has got it. */
  dish: string;
  /** What has come from the kitchen: its answer ends with its stream. */
  answer: string;
}

const epoll = new Epoll();
const watched = new Map<number, { socket: Socket; handle: (events: number) => void }>();

function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  watch(listener, EPOLLIN, () => acceptAll(listener));

  while (true) {
    // Look up all numbers first: a handler may close a socket, and a new socket may get its number.
    const ready = epoll.poll().map(({ fd, events }) => ({ events, ...watched.get(fd)! }));
    for (const { socket, handle, events } of ready) if (socket.fd !== -1) handle(events);
  }
}

function acceptAll(listener: Socket): void {
  for (let next = listener.accept(SOCK_NONBLOCK); next !== null; next = listener.accept(SOCK_NONBLOCK)) {
    const client: Client = { socket: next.client, unread: "", kitchen: null, dish: "", answer: "" };
    watch(client.socket, EPOLLIN, events => serve(client, () => onClient(client, events)));
  }
}

// #region client
function onClient(client: Client, events: number): void {
  if (events & EPOLLIN) hear(client);
}
// #endregion client

// #region kitchen
function onKitchen(client: Client, kitchen: Socket, events: number): void {
  let answer: string | null = null;
  if (events & EPOLLOUT) bring(client, kitchen);
  else if (events & EPOLLIN) answer = taste(client, kitchen);
  if (answer !== null) finish(client, answer);
}
// #endregion kitchen

/** Reads until this client has an order under way, or no more bytes have come. */
function hear(client: Client): void {
  while (client.kitchen === null) {
    const end = client.unread.indexOf("\n");
    if (end === -1) {
      const data = client.unread.length > mostBytes ? "" : client.socket.recv(mostBytes);
      if (data === null) return;
      if (data.length === 0) break;
      client.unread += data.toString("latin1");
    } else {
      const line = client.unread.slice(0, end);
      client.unread = client.unread.slice(end + 1);
      if (!take(client, line)) break;
    }
  }
  if (client.kitchen === null) leave(client);
}

/** Begins the handshake with the kitchen of an order. @returns false when this line is no order */
function take(client: Client, line: string): boolean {
  const [, port, dish] = /^(\d{1,5}) (.+)$/s.exec(line) ?? [];
  if (dish === undefined || Number(port) > 65535) return false;
  const kitchen = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  Object.assign(client, { kitchen, dish: `${dish}\n`, answer: "" });
  kitchen.connect({ host: "127.0.0.1", port: Number(port) });
  watch(kitchen, EPOLLOUT, events => serve(client, () => onKitchen(client, kitchen, events)));
  epoll.modify(client.socket, mode); // no EPOLLIN: this client's other orders wait in the kernel
  return true;
}

// #region bring
/** The handshake is over: the kitchen gets the dish. */
function bring(client: Client, kitchen: Socket): void {
  kitchen.send(Buffer.from(client.dish, "latin1"));
  client.dish = "";
  epoll.modify(kitchen, EPOLLIN | mode);
}
// #endregion bring

/** Reads what has come of an answer. @returns the answer, when it is whole */
function taste(client: Client, kitchen: Socket): string | null {
  for (let data = kitchen.recv(mostBytes); data !== null; data = kitchen.recv(mostBytes)) {
    if (data.length === 0) return client.answer || "ENODATA\n";
    client.answer += data.toString("latin1");
  }
  return null;
}

/** Answers the order under way, and goes on to the client's next one. */
function finish(client: Client, answer: string): void {
  if (client.kitchen !== null) release(client.kitchen);
  client.kitchen = null;
  client.socket.send(Buffer.from(answer, "latin1"));
  epoll.modify(client.socket, EPOLLIN | mode);
  hear(client);
}

/** Does one step for a client. If it fails, the client has gone. */
function serve(client: Client, step: () => void): void {
  try {
    step();
  } catch (error) {
    codeOf(error);
    leave(client);
  }
}

function leave(client: Client): void {
  if (client.kitchen !== null) release(client.kitchen);
  release(client.socket);
}

function watch(socket: Socket, events: number, handle: (events: number) => void): void {
  epoll.register(socket, events | mode);
  watched.set(socket.fd, { socket, handle });
}

function release(socket: Socket): void {
  if (watched.delete(socket.fd)) epoll.unregister(socket);
  socket.close();
}

/** The name of a system call's error. Any other error is a mistake of this program. */
function codeOf(error: unknown): string {
  if (!(error instanceof SyscallError)) throw error;
  return error.code;
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7898");
  process.exit(1);
}
