// An epoll server that waits for each client in one direction: for its next request, or for room for its answer. A client
// that does not read costs a piece of 256 KB, and no other client waits for it.
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
  answer: Answer | null;
  /** What epoll reports of this client: EPOLLIN or EPOLLOUT. */
  waitsFor: number;
}

/** An answer that is not sent yet: what is offered to the kernel next, and how many bytes follow it. */
interface Answer {
  piece: Buffer;
  more: number;
}
// #endregion state

const clients = new Map<number, Client>();
const epoll = new Epoll();
const emptyLine = "\r\n\r\n";
const mostHead = 16 * 1024;
const mostLeaves = 64 * 1024 * 1024;
/** The most bytes that one client gets in a turn. A multiple of four, so that each piece of tea begins with "tea ". */
const share = 256 * 1024;
const tea = Buffer.alloc(share, "tea ");

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
    const { client } = arrival;
    client.setBlocking(false);
    clients.set(client.fd, { socket: client, unread: Buffer.alloc(0), answer: null, waitsFor: EPOLLIN });
    epoll.register(client, EPOLLIN);
  }
}
// #endregion accept

// #region serve
/** The client has sent something, or there is room for its answer. */
function serve(client: Client): void {
  try {
    if (client.answer === null && !hear(client)) return;
    waitFor(client, sendOn(client) ? EPOLLIN : EPOLLOUT);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
  }
}

/** Changes what epoll reports of this client, if it is something else than before. */
function waitFor(client: Client, events: number): void {
  if (client.waitsFor === events) return;
  epoll.modify(client.socket, events);
  client.waitsFor = events;
}
// #endregion serve

// #region send
/** Sends this client's answers, up to its share of a turn. @returns whether every request that has come is answered */
function sendOn(client: Client): boolean {
  let left = share;
  while (left > 0) {
    client.answer ??= answerNext(client);
    if (client.answer === null) return true;
    const took = client.socket.send(client.answer.piece);
    if (took === null) return false;
    left -= took;
    client.answer = rest(client.answer, took);
  }
  return false; // a later turn goes on: if the kernel has room, epoll reports EPOLLOUT at once
}

/** What is left of an answer of which the kernel took so many bytes. */
function rest({ piece, more }: Answer, took: number): Answer | null {
  if (took < piece.length) return { piece: piece.subarray(took), more };
  if (more === 0) return null;
  const next = Math.min(more, share);
  return { piece: tea.subarray(0, next), more: more - next };
}
// #endregion send

// #region hear
/** Reads once. @returns whether the client is still there */
function hear(client: Client): boolean {
  const data = client.socket.recv(16 * 1024);
  if (data === null) return true;
  client.unread = Buffer.concat([client.unread, data]);
  const endless = client.unread.length > mostHead && !client.unread.includes(emptyLine);
  if (data.length > 0 && !endless) return true;
  leave(client);
  return false;
}
// #endregion hear

/** Takes the next whole request from what has come. @returns its head, or null */
function nextRequest(client: Client): string | null {
  const end = client.unread.indexOf(emptyLine);
  if (end === -1) return null;
  const head = client.unread.toString("latin1", 0, end);
  client.unread = client.unread.subarray(end + emptyLine.length);
  return head;
}

// #region answer
/** The answer to the next request, if it is whole: "/leaves/5000" gets 5000 bytes of tea. */
function answerNext(client: Client): Answer | null {
  const head = nextRequest(client);
  if (head === null) return null;
  const target = /^GET ([!-~]+)/.exec(head)?.[1] ?? "nothing";
  const leaves = Math.min(Number(/^\/leaves\/(\d+)$/.exec(target)?.[1] ?? 0), mostLeaves);
  const first = leaves > 0 ? tea.subarray(0, leaves) : Buffer.from(`you asked for ${target}\n`);
  const length = leaves > 0 ? leaves : first.length;
  const fields = `Content-Type: text/plain\r\nContent-Length: ${length}`;
  const piece = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`), first]);
  return { piece, more: length - first.length };
}
// #endregion answer

function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7902");
  process.exit(1);
}
