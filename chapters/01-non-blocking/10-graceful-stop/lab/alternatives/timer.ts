// The same with Node's event loop: a timer makes the turns, so Node can call a handler of SIGTERM between two of them.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError } from "workbook/net";

interface Client {
  socket: Socket;
  /** What has come and is not answered. */
  unread: Buffer;
  /** What is not sent yet of the answer under way. */
  output: Buffer;
  /** When its time is over: for its next whole request, or for taking more of its answer. */
  deadline: number;
}

const clients = new Set<Client>();
/** How long a client may take for its next request, or for taking the next piece of an answer, in milliseconds. */
const patienceMs = 2000;
/** How long the answers under way may take after SIGTERM, in milliseconds. */
const graceMs = 1000;
/** When the server ends, finished or not. */
let endBy = Number.POSITIVE_INFINITY;

const now = () => performance.now();
const isEnding = () => endBy < Number.POSITIVE_INFINITY;
// #endregion state
const emptyLine = "\r\n\r\n";
const mostHead = 16 * 1024;
const mostLeaves = 32 * 1024 * 1024;
/** What is offered to the kernel at once. */
const piece = 256 * 1024;

// #region turn
function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);

  const turn = () => {
    for (let busy = true; busy; ) {
      busy = !isEnding() && acceptAll(listener);
      for (const client of clients) {
        const moved = serve(client);
        if (moved) busy = true;
        if (now() > endBy || (!moved && mayGo(client))) leave(client);
      }
      if (clients.size > 0 && now() > lastPause + 50) break; // a handler of a signal must have its turn
    }
    lastPause = now();
    if (isEnding() && clients.size === 0) clearInterval(timer);
  };
  let lastPause = now();
  const timer = setInterval(turn, 5);
  process.once("SIGTERM", () => {
    acceptAll(listener);
    listener.close();
    endBy = now() + graceMs;
  });
}

/** Has this client nothing under way, while the server ends? Or is its time over? */
function mayGo(client: Client): boolean {
  return (isEnding() && client.output.length === 0) || now() > client.deadline;
}
// #endregion turn

// #region accept
function acceptAll(listener: Socket): boolean {
  let came = false;
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    arrival.client.setBlocking(false);
    clients.add({
      socket: arrival.client,
      unread: Buffer.alloc(0),
      output: Buffer.alloc(0),
      deadline: now() + patienceMs,
    });
    came = true;
  }
  return came;
}
// #endregion accept

// #region serve
/** One step for this client. @returns whether there was anything to do */
function serve(client: Client): boolean {
  try {
    if (client.output.length > 0) return sendOn(client);
    return answerNext(client) || hear(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client);
    return true;
  }
}
// #endregion serve

// #region hear
function hear(client: Client): boolean {
  const data = client.socket.recv(piece);
  if (data === null) return false;
  client.unread = Buffer.concat([client.unread, data]);
  const endless = client.unread.length > mostHead && !client.unread.includes(emptyLine);
  if (data.length === 0 || endless) leave(client);
  return true;
}
// #endregion hear

// #region send
function sendOn(client: Client): boolean {
  const took = client.socket.send(client.output.subarray(0, piece));
  if (took === null) return false;
  client.output = client.output.subarray(took);
  client.deadline = now() + patienceMs;
  return true;
}
// #endregion send

/** Answers the next request, if it is whole: "/leaves/5000" gets 5000 bytes of tea. */
function answerNext(client: Client): boolean {
  const end = client.unread.indexOf(emptyLine);
  if (end === -1) return false;
  const head = client.unread.toString("latin1", 0, end);
  client.unread = client.unread.subarray(end + emptyLine.length);
  const target = /^GET ([!-~]+)/.exec(head)?.[1] ?? "nothing";
  const leaves = Math.min(Number(/^\/leaves\/(\d+)$/.exec(target)?.[1] ?? 0), mostLeaves);
  const body = leaves > 0 ? Buffer.alloc(leaves, "tea ") : Buffer.from(`you asked for ${target}\n`);
  const fields = `Content-Type: text/plain\r\nContent-Length: ${body.length}`;
  client.output = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`), body]);
  return true;
}

function leave(client: Client): void {
  client.socket.close();
  clients.delete(client);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7894");
  process.exit(1);
}
