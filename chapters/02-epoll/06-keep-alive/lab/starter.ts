// An epoll server that keeps each connection open. For it a request is a head, an answer ends when its pieces do, and a
// connection never ends: that is the exercise.
import {
  AF_INET,
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

// #region state
interface Client {
  socket: Socket;
  /** What has come and is not answered. */
  unread: Buffer;
  /** Makes the pieces of the answer that is under way. */
  answer: Iterator<Buffer> | null;
  /** What is offered to the kernel next. */
  piece: Buffer | null;
  /** What epoll reports of this client: EPOLLIN or EPOLLOUT. */
  waitsFor: number;
}
// #endregion state

const clients = new Map<number, Client>();
const epoll = new Epoll();
const emptyLine = "\r\n\r\n";
/** The most bytes of a request that is not whole. */
const mostUnread = 128 * 1024;
/** The most bytes that one client gets in a turn. */
const share = 16 * 1024;
const brewTarget = /^\/brew\/(\d{1,5})$/;

// #region turn
function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);
  epoll.register(listener, EPOLLIN);
  console.log(`process ${process.pid} serves http://127.0.0.1:${port}/`);

  while (true) {
    for (const { fd } of epoll.poll()) {
      const client = clients.get(fd);
      if (client) serve(client);
      else acceptAll(listener);
    }
  }
}
// #endregion turn

// #region accept
function acceptAll(listener: Socket): void {
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    const socket = arrival.client;
    socket.setBlocking(false);
    clients.set(socket.fd, { socket, unread: Buffer.alloc(0), answer: null, piece: null, waitsFor: EPOLLIN });
    epoll.register(socket, EPOLLIN);
  }
}
// #endregion accept

// #region serve
/** The client has sent something, or there is room for its answer. */
function serve(client: Client): void {
  try {
    if (client.waitsFor === EPOLLIN && !hear(client)) return;
    const events = sendOn(client) ? EPOLLIN : EPOLLOUT;
    if (client.waitsFor !== events) epoll.modify(client.socket, events);
    client.waitsFor = events;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
  }
}
// #endregion serve

// #region send
/** Sends this client's answers, up to its share of a turn. @returns whether every request that has come is answered */
function sendOn(client: Client): boolean {
  for (let left = share; left > 0; ) {
    client.piece ??= nextPiece(client);
    if (client.piece === null) return true;
    const took = client.socket.send(client.piece);
    if (took === null) return false;
    left -= took;
    client.piece = took < client.piece.length ? client.piece.subarray(took) : null;
  }
  return false;
}
// #endregion send

// #region next
/** The next piece of the answer under way, or of the answer to the next request. @returns null: no request has come */
function nextPiece(client: Client): Buffer | null {
  const next = client.answer?.next();
  if (next && !next.done) return next.value;
  client.answer = nextAnswer(client);
  return client.answer && nextPiece(client);
}
// #endregion next

// #region hear
/** Reads once. @returns whether the client is still there */
function hear(client: Client): boolean {
  const data = client.socket.recv(16 * 1024);
  if (data === null) return true;
  client.unread = Buffer.concat([client.unread, data]);
  if (data.length > 0 && client.unread.length <= mostUnread) return true;
  leave(client);
  return false;
}
// #endregion hear

// #region request
/** Takes the next request from what has come. @returns its answer; null: the request is not whole */
function nextAnswer(client: Client): Iterator<Buffer> | null {
  const end = client.unread.indexOf(emptyLine);
  if (end === -1) return null;
  const [_method, target = ""] = client.unread.toString("latin1", 0, end).split(" ", 2);
  client.unread = client.unread.subarray(end + emptyLine.length);
  return answer(target, Buffer.alloc(0));
}
// #endregion request

// #region answer
/** An answer, piece by piece: it repeats an order, and watches a pot of tea, for as many minutes as the target says. */
function* answer(target: string, body: Buffer): Generator<Buffer, void> {
  const minutes = brewTarget.exec(target)?.[1];
  if (target === "/bell") {
    yield Buffer.from("HTTP/1.1 204 No Content\r\n\r\n");
  } else if (minutes !== undefined) {
    yield Buffer.from("HTTP/1.1 200 OK\r\n\r\n");
    for (const line of brew(Number(minutes))) yield Buffer.from(line);
  } else {
    const order = Buffer.concat([Buffer.from("you ordered "), body, Buffer.from("\n")]);
    const text = target === "/order" ? order : Buffer.from(`you asked for ${target}\n`);
    yield Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n`);
    yield text;
  }
}
// #endregion answer

/** A pot of tea, minute by minute. In every fifth minute there is nothing to say. */
function* brew(minutes: number): Generator<string, void> {
  for (let minute = 1; minute <= minutes; minute++) {
    yield minute % 5 === 0 ? "" : `minute ${minute}: ${95 - (minute % 60)} °C\n`;
  }
}

function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7903");
  process.exit(1);
}
