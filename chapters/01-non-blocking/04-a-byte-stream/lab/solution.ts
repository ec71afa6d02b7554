// Each client has a buffer for its unfinished request. A request ends with its empty line, wherever the pieces were
// cut; the bytes after it are the start of the next request.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** The bytes of an unfinished request: a whole request is answered at once. */
  unread: Buffer;
}

const emptyLine = "\r\n\r\n";
/** The longest head: without a limit one client could fill the memory. */
const mostHead = 64 * 1024;

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
    // #region accept
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.add({ socket: arrival.client, unread: Buffer.alloc(0) });
      busy = true;
    }
    // #endregion accept
    for (const client of clients) {
      if (hear(client)) busy = true;
    }
    if (!busy) sleep(5);
  }
}

// #region hear
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
    // #region limit
    if (client.unread.length > mostHead) leave(client);
    // #endregion limit
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection, or left before it had its answer
  }
  return true;
}
// #endregion hear

/** Answers the head of one request: "GET /tea HTTP/1.1", and its fields. */
function answer(client: Socket, head: string): void {
  const [line = ""] = head.split("\r\n");
  console.log(`a request: ${JSON.stringify(line)}`);
  const target = /^GET ([!-~]+)/.exec(line)?.[1];
  const status = target === undefined ? "400 Bad Request" : "200 OK";
  const body = target === undefined ? "this is no request\n" : `you asked for ${target}\n`;
  const fields = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n`;
  client.send(`HTTP/1.1 ${status}\r\n${fields}\r\n${body}`);
}

function leave(client: Client): void {
  client.socket.close();
  clients.delete(client);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7883");
  process.exit(1);
}
