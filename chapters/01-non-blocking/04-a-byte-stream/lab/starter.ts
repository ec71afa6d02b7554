// The loop of the last lesson with an answer: the server sends each client the target of its request.
// It takes the bytes of one recv() for one request. That is the exercise.
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, SyscallError, sleep } from "workbook/net";

/** The connected clients. */
const clients = new Set<Socket>();

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
      clients.add(arrival.client);
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
/** Reads from this client, and answers. @returns whether there was anything to read */
function hear(client: Socket): boolean {
  try {
    const data = client.recv(1024);
    if (data === null) return false; // no bytes yet
    if (data.length === 0) leave(client);
    else answer(client, data.toString("latin1"));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection, or left before it had its answer
  }
  return true;
}
// #endregion hear

// #region answer
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
// #endregion answer

function leave(client: Socket): void {
  client.close();
  clients.delete(client);
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7883");
  process.exit(1);
}
