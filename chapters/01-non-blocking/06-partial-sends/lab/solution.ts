// Each client has at most one answer on its way, and a number that says how much of it the kernel has taken. Nothing
// is copied to be kept: the files are there once, and a client who does not read costs a place in one of them.
import { readFileSync } from "node:fs";
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** What has come and is not answered: whole requests too, while an answer is on its way. */
  unread: Buffer;
  answer: Answer | null;
}

/** An answer that is on its way. */
interface Answer {
  head: Buffer;
  body: Buffer;
  /** How many octets of the two the kernel has taken. */
  sent: number;
}

/** What there is to be had, read once for everybody. */
const files = new Map(["/menu.txt", "/large.bin"].map(name => [name, readFileSync(`html${name}`)]));
const emptyLine = "\r\n\r\n";
const mostHead = 64 * 1024;
/** What is offered to the kernel at once: nobody has a turn for themselves, however much there is room for. */
const most = 256 * 1024;
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
      clients.add({ socket: arrival.client, unread: Buffer.alloc(0), answer: null });
      busy = true;
    }
    for (const client of clients) {
      if (serve(client)) busy = true;
    }
    if (!busy) sleep(5);
  }
}

// #region serve
/** One step for this client: sends on, or answers, or listens; true if anything moved. */
function serve(client: Client): boolean {
  try {
    if (client.answer !== null) return sendOn(client, client.answer);
    const end = client.unread.indexOf(emptyLine);
    if (end === -1) return hear(client);
    client.answer = answerTo(client.unread.toString("latin1", 0, end));
    client.unread = client.unread.subarray(end + emptyLine.length);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // cut off, or gone before it had its answer
  }
  return true;
}
// #endregion serve

// #region send
/** Gives the kernel what it has room for; false if that is nothing. */
function sendOn(client: Client, answer: Answer): boolean {
  const { head, body, sent } = answer;
  const at = sent - head.length;
  // A small answer is one send: of two, the second might wait for an acknowledgement of the first.
  const next =
    at < 0 ? Buffer.concat([head.subarray(sent), body.subarray(0, most)]) : body.subarray(at, at + most);
  const took = client.socket.send(next);
  if (took === null) return false; // no room: it stays ours
  answer.sent += took;
  if (answer.sent === head.length + body.length) client.answer = null;
  return true;
}
// #endregion send

/** Takes what this client has sent; true if there was anything. */
function hear(client: Client): boolean {
  const data = client.socket.recv(16 * 1024);
  if (data === null) return false; // nothing yet
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
