// The server keeps what it receives as bytes, and sends bytes. It decodes characters only for the log, which people
// read.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** The bytes of an unfinished request: a whole request is answered at once. */
  unread: Buffer;
}

const menu = new Map([
  ["/tea", "tea 茶🍵"],
  ["/cake", "cake 糕🍰"],
]);

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
      // #region accept
      clients.add({ socket: arrival.client, unread: Buffer.alloc(0) });
      // #endregion accept
      busy = true;
    }
    for (const client of clients) {
      if (hear(client)) busy = true;
    }
    if (!busy) sleep(5);
  }
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
    let end = client.unread.indexOf("\r\n\r\n");
    while (end !== -1) {
      answer(client.socket, client.unread.subarray(0, end));
      client.unread = client.unread.subarray(end + 4);
      end = client.unread.indexOf("\r\n\r\n");
    }
    if (client.unread.length > 64 * 1024) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection, or left before it had its answer
  }
  return true;
}

/** Answers the head of one request: "GET /tea HTTP/1.1", and its fields, of which "Name: …" is read. */
function answer(client: Socket, head: Buffer): void {
  // #region read
  // One character for each byte: the words of HTTP are ASCII, and Buffer.from(…, "latin1") restores all other bytes.
  const text = head.toString("latin1");
  const target = /^GET ([^ ]+) /.exec(text)?.[1];
  const name = Buffer.from(/^Name:[ \t]*(.*?)[ \t]*$/im.exec(text)?.[1] ?? "", "latin1");
  console.log(`${target}, for ${JSON.stringify(name.toString())}`);
  // #endregion read

  // #region cup
  const dish = menu.get(target ?? "");
  if (dish === undefined) send(client, "404 not found", [Buffer.from("file not found, 请输入正确的url")]);
  else if (name.length === 0) send(client, "200 OK", [Buffer.from(dish)]);
  else send(client, "200 OK", [Buffer.from(`${dish} for `), name]);
  // #endregion cup
}

/** Sends one answer, in one piece. Content-Length is the number of its encoded bytes. */
function send(client: Socket, status: string, parts: Buffer[]): void {
  const body = Buffer.concat(parts);
  const length = body.length;
  const fields = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${length}\r\n`;
  client.send(Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${fields}\r\n`), body]));
}

function leave(client: Client): void {
  client.socket.close();
  clients.delete(client);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7884");
  process.exit(1);
}
