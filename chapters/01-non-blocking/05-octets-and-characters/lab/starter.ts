// The teahouse: it answers /tea with a cup of tea, and writes the name from the request on the cup.
// It finds where each request ends, but it decodes bytes and encodes characters in the wrong places:
// that is the exercise.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

interface Client {
  socket: Socket;
  /** An unfinished request: a whole request is answered at once. */
  unread: string;
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
      clients.add({ socket: arrival.client, unread: "" });
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
    const data = client.socket.recv(1024);
    if (data === null) return false; // no bytes yet
    if (data.length === 0) {
      leave(client);
      return true;
    }
    // #region requests
    client.unread += data.toString();
    let end = client.unread.indexOf("\r\n\r\n");
    while (end !== -1) {
      answer(client.socket, client.unread.slice(0, end));
      client.unread = client.unread.slice(end + 4);
      end = client.unread.indexOf("\r\n\r\n");
    }
    // #endregion requests
    if (client.unread.length > 64 * 1024) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection, or left before it had its answer
  }
  return true;
}

/** Answers the head of one request: "GET /tea HTTP/1.1", and its fields, of which "Name: …" is read. */
function answer(client: Socket, head: string): void {
  // #region read
  const target = /^GET ([^ ]+) /.exec(head)?.[1];
  const name = /^Name: *(.*)$/im.exec(head)?.[1];
  console.log(`${target}, for ${JSON.stringify(name)}`);
  // #endregion read
  // #region cup
  const dish = menu.get(target ?? "");
  const status = dish ? "200 OK" : "404 not found";
  const cup = name ? ` for ${name}` : "";
  const body = dish ? dish + cup : "file not found, 请输入正确的url";
  // #region send
  const fields = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n`;
  client.send(`HTTP/1.1 ${status}\r\n${fields}\r\n${body}`);
  // #endregion send
  // #endregion cup
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
