// An epoll server whose client sockets block, as those of the course's server in section 2.3 do: one client that does not
// read stops it for all. That is the exercise.
import {
  AF_INET,
  EPOLLIN,
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
}
// #endregion state

const clients = new Map<number, Client>();
const epoll = new Epoll();
const emptyLine = "\r\n\r\n";
const mostHead = 16 * 1024;
const mostLeaves = 64 * 1024 * 1024;

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
    clients.set(client.fd, { socket: client, unread: Buffer.alloc(0) });
    epoll.register(client, EPOLLIN);
  }
}
// #endregion accept

// #region serve
/** The client has sent something: answers every request that is whole. */
function serve(client: Client): void {
  try {
    if (!hear(client)) return;
    for (let head = nextRequest(client); head !== null; head = nextRequest(client)) {
      client.socket.send(answerTo(head));
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
  }
}
// #endregion serve

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
/** The answer to a request: "/leaves/5000" gets 5000 bytes of tea. */
function answerTo(head: string): Buffer {
  const target = /^GET ([!-~]+)/.exec(head)?.[1] ?? "nothing";
  const leaves = Math.min(Number(/^\/leaves\/(\d+)$/.exec(target)?.[1] ?? 0), mostLeaves);
  const body = leaves > 0 ? Buffer.alloc(leaves, "tea ") : Buffer.from(`you asked for ${target}\n`);
  const fields = `Content-Type: text/plain\r\nContent-Length: ${body.length}`;
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`), body]);
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
