// The server of "TCP has no messages", with two files to send, one of them large.
// It gives each answer to one send(), and ignores what send() returns: that is the exercise.
import { readFileSync } from "node:fs";
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** The bytes of an unfinished request: a whole request is answered at once. */
  unread: Buffer;
}

/** The files that the server has, read once for all clients. */
const files = new Map(["/menu.txt", "/large.bin"].map(name => [name, readFileSync(`html${name}`)]));
const emptyLine = "\r\n\r\n";
const mostHead = 64 * 1024;
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
      clients.add({ socket: arrival.client, unread: Buffer.alloc(0) });
      busy = true;
    }
    for (const client of clients) {
      if (hear(client)) busy = true;
    }
    if (!busy) sleep(5);
  }
  // #endregion turn
}

/** Reads from this client, and answers each whole request. @returns whether there was anything to read */
function hear(client: Client): boolean {
  try {
    const data = client.socket.recv(16 * 1024);
    if (data === null) return false; // no bytes yet
    if (data.length === 0) {
      leave(client);
      return true;
    }
    client.unread = Buffer.concat([client.unread, data]);
    // #region requests
    let end = client.unread.indexOf(emptyLine);
    while (end !== -1) {
      answer(client.socket, client.unread.toString("latin1", 0, end));
      client.unread = client.unread.subarray(end + emptyLine.length);
      end = client.unread.indexOf(emptyLine);
    }
    // #endregion requests
    if (client.unread.length > mostHead) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection, or left before it had its answer
  }
  return true;
}

// #region answer
/** Answers the head of one request: "GET /menu.txt HTTP/1.1", and its fields. */
function answer(socket: Socket, head: string): void {
  const target = /^GET ([!-~]+)/.exec(head)?.[1] ?? "nothing";
  const file = files.get(target);
  if (file === undefined) {
    const body = `there is no ${target}\n`;
    socket.send(headOf("404 Not Found", body.length));
    socket.send(body);
  } else {
    socket.send(Buffer.concat([headOf("200 OK", file.length), file]));
  }
}
// #endregion answer

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
