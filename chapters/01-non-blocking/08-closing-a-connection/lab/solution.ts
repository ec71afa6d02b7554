// A server for orders: each client sends one order by POST, and receives one answer. It ends its own direction behind
// the answer, reads and discards what the client still sends, and then closes: the lingering close of RFC 9112, 9.6.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** What has come of the order. */
  unread: Buffer;
  /** Set when the answer is sent: how many bytes have been discarded since, and when the server closes at the latest. */
  lingering: { discarded: number; until: number } | null;
}

/** The longest order, in bytes. */
const mostOrder = 1000;
/** The longest head, in bytes. */
const mostHead = 16 * 1024;
const emptyLine = "\r\n\r\n";
// #region limits
/** The longest wait for the client's end of stream behind an answer, in milliseconds. */
const lingerMs = 1000;
/** The most bytes that are read and discarded behind an answer. */
const mostDiscarded = 1_000_000;
// #endregion limits

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
      clients.add({ socket: arrival.client, unread: Buffer.alloc(0), lingering: null });
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
    return client.lingering ? linger(client, client.lingering) : hear(client);
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
  let ended = false;
  while (!ended && client.unread.length <= mostHead + mostOrder) {
    const data = client.socket.recv(16 * 1024);
    if (data === null) break; // no more bytes yet
    found = true;
    ended = data.length === 0; // the client sends no more; it may still wait for its answer
    client.unread = Buffer.concat([client.unread, data]);
  }
  const answer = answerTo(client.unread);
  if (answer !== null) finish(client, answer);
  else if (ended) leave(client); // the order will never be whole
  return found;
}
// #endregion hear

// #region finish
/** Sends the answer, and the end of this direction behind it. */
function finish(client: Client, answer: string): void {
  client.socket.send(answer); // it fits, because the send buffer is empty
  client.socket.shutdown("write");
  client.lingering = { discarded: 0, until: performance.now() + lingerMs };
}
// #endregion finish

// #region linger
/** Discards what the client still sends; closes at the end of the stream, or at a limit. */
function linger(client: Client, lingering: { discarded: number; until: number }): boolean {
  const data = client.socket.recv(64 * 1024);
  lingering.discarded += data?.length ?? 0;
  const ended = data?.length === 0;
  const late = performance.now() >= lingering.until;
  if (ended || late || lingering.discarded > mostDiscarded) leave(client);
  return data !== null;
}
// #endregion linger

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
