// Each client has at most one answer on its way, and a number: how many of its bytes the kernel has taken. The server
// keeps no copies: each file is in memory once, and a client that does not read costs a place in it.
import { readFileSync } from "node:fs";
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** Bytes that have no answer yet: whole requests, too, while an answer is on its way. */
  unread: Buffer;
  answer: Answer | null;
}

/** An answer that is on its way. */
interface Answer {
  head: Buffer;
  body: Buffer;
  /** How many bytes of the two the kernel has taken. */
  sent: number;
}

/** The files that the server has, read once for all clients. */
const files = new Map(["/menu.txt", "/large.bin"].map(name => [name, readFileSync(`html${name}`)]));
const emptyLine = "\r\n\r\n";
const mostHead = 64 * 1024;
/** The most bytes offered to the kernel at once: a client with much room must not keep the others waiting. */
const most = 256 * 1024;
const clients = new Set<Client>();

function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);

  // #region turn
  while (true) {
    let busy = false;
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.add({ socket: arrival.client, unread: Buffer.alloc(0), answer: null });
      busy = true;
    }
    for (const client of clients) {
      if (serve(client)) busy = true;
    }
    if (!busy) sleep(5);
  }
  // #endregion turn
}

// #region serve
/** One step for this client: it sends on, begins an answer, or reads. @returns whether anything moved */
function serve(client: Client): boolean {
  try {
    if (client.answer !== null) return sendOn(client, client.answer);
    const end = client.unread.indexOf(emptyLine);
    if (end === -1) return hear(client);
    client.answer = answerTo(client.unread.toString("latin1", 0, end));
    client.unread = client.unread.subarray(end + emptyLine.length);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection, or left before it had its answer
  }
  return true;
}
// #endregion serve

// #region send
/** Offers the kernel the next bytes of an answer. @returns whether it took any */
function sendOn(client: Client, answer: Answer): boolean {
  const { head, body, sent } = answer;
  const at = sent - head.length;
  // A small answer is one send. If there were two, the second could wait for an acknowledgement of the first.
  const next =
    at < 0 ? Buffer.concat([head.subarray(sent), body.subarray(0, most)]) : body.subarray(at, at + most);
  const took = client.socket.send(next);
  if (took === null) return false; // no room: offer it again in the next turn
  answer.sent += took;
  if (answer.sent === head.length + body.length) client.answer = null;
  return true;
}
// #endregion send

/** Reads from this client. @returns whether there was anything to read */
function hear(client: Client): boolean {
  const data = client.socket.recv(16 * 1024);
  if (data === null) return false; // no bytes yet
  client.unread = Buffer.concat([client.unread, data]);
  const endless = client.unread.length > mostHead && !client.unread.includes(emptyLine);
  if (data.length === 0 || endless) leave(client);
  return true;
}

/** The answer to the head of one request: "GET /menu.txt HTTP/1.1", and its fields. */
function answerTo(head: string): Answer {
  const target = /^GET ([!-~]+)/.exec(head)?.[1] ?? "nothing";
  const file = files.get(target);
  const body = file ?? Buffer.from(`there is no ${target}\n`);
  return { head: headOf(file ? "200 OK" : "404 Not Found", body.length), body, sent: 0 };
}

function headOf(status: string, length: number): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n`);
}

function leave(client: Client): void {
  client.socket.close();
  clients.delete(client);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7885");
  process.exit(1);
}
