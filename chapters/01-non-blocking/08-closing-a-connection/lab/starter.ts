// A server for orders: each client sends one order by POST, and receives one answer. The server closes the connection
// at once, behind its answer or at the end of what the client sends. That is the exercise.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** What has come of the order. */
  unread: Buffer;
}

/** The longest order, in bytes. */
const mostOrder = 1000;
/** The longest head, in bytes. */
const mostHead = 16 * 1024;
const emptyLine = "\r\n\r\n";

/** The connected clients. */
const clients = new Set<Client>();

function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);

  while (true) {
    let busy = false;
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.add({ socket: arrival.client, unread: Buffer.alloc(0) });
      busy = true;
    }
    for (const client of clients) {
      if (turn(client)) busy = true;
    }
    if (!busy) sleep(5);
  }
}

/** One client's part of a turn. @returns whether there was anything to do */
function turn(client: Client): boolean {
  try {
    return hear(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // the connection is broken
    return true;
  }
}

// #region hear
/** Reads what has come of an order, and answers the order when it is whole. */
function hear(client: Client): boolean {
  let found = false;
  while (client.unread.length <= mostHead + mostOrder) {
    const data = client.socket.recv(16 * 1024);
    if (data === null) break; // no more bytes yet
    found = true;
    if (data.length === 0) {
      leave(client);
      return true;
    }
    client.unread = Buffer.concat([client.unread, data]);
  }
  const answer = answerTo(client.unread);
  if (answer !== null) {
    client.socket.send(answer);
    leave(client);
  }
  return found;
}
// #endregion hear

/** The answer to the order that these bytes are; null while the order is not whole. */
function answerTo(bytes: Buffer): string | null {
  const end = bytes.indexOf(emptyLine);
  if (end === -1) return bytes.length > mostHead ? response("431 Request Header Fields Too Large", "") : null;
  const head = bytes.toString("latin1", 0, end);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  // The head says it: there is no need to read the order itself.
  if (length > mostOrder) return response("413 Content Too Large", `at most ${mostOrder} bytes, please\n`);
  const order = bytes.subarray(end + emptyLine.length, end + emptyLine.length + length);
  return order.length < length ? null : response("200 OK", `you ordered ${order}\n`);
}

/** No length: the body ends with the stream. */
function response(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${body}`;
}

function leave(client: Client): void {
  client.socket.close();
  clients.delete(client);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7893");
  process.exit(1);
}
