// A server that answers each line with the number of its bytes. It is edge-triggered, and makes one call for each event,
// as the course's 2.2 does: that is the exercise.
import {
  AF_INET,
  EPOLLET,
  EPOLLIN,
  Epoll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

interface Client {
  socket: Socket;
  /** How many bytes have come of the line that is not whole. */
  length: number;
}

/** The connected clients, by descriptor: epoll knows descriptors only. */
const clients = new Map<number, Client>();
const epoll = new Epoll();

// #region turn
function main(port: number): void {
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(128);
  listener.setBlocking(false);
  epoll.register(listener, EPOLLIN | EPOLLET);

  while (true) {
    for (const { fd } of epoll.poll()) {
      if (fd === listener.fd) welcome(listener);
      else hear(clients.get(fd)!);
    }
  }
}
// #endregion turn

// #region welcome
function welcome(listener: Socket): void {
  const arrival = listener.accept();
  if (arrival === null) return;
  arrival.client.setBlocking(false);
  clients.set(arrival.client.fd, { socket: arrival.client, length: 0 });
  epoll.register(arrival.client, EPOLLIN | EPOLLET);
}
// #endregion welcome

// #region hear
function hear(client: Client): void {
  try {
    const data = client.socket.recv(1024);
    if (data === null) return; // nothing, after all
    if (data.length === 0 || !answer(client, data)) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // the connection is broken
  }
}
// #endregion hear

/** Answers each line that these bytes complete. @returns false when the client does not read its answers */
function answer(client: Client, data: Buffer): boolean {
  let answers = "";
  let from = 0;
  for (let end = data.indexOf("\n"); end !== -1; end = data.indexOf("\n", from)) {
    answers += `${client.length + end - from} bytes\n`;
    client.length = 0;
    from = end + 1;
  }
  client.length += data.length - from;
  return answers === "" || client.socket.send(answers) === answers.length;
}

// #region leave
function leave(client: Client): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
}
// #endregion leave

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7897");
  process.exit(1);
}
