// A server that answers each line with the number of its bytes. It is edge-triggered: after an event it accepts or reads
// until nothing is left. A client that never stops gets a share of each turn, and a place on the program's own ready list.
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
/** The program's own ready list: clients from which recv() has not returned null since their last event. */
const ready = new Set<Client>();
/** The most bytes that the server reads of one client in one turn. */
const share = 64 * 1024;
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
    // No event reports the clients in `ready` again: as long as there is one, the server does not sleep.
    for (const { fd } of epoll.poll(ready.size > 0 ? 0 : -1)) {
      if (fd === listener.fd) welcomeAll(listener);
      else ready.add(clients.get(fd)!);
    }
    for (const client of ready) hear(client);
  }
}
// #endregion turn

// #region welcome
/** Accepts all clients in the accept queue. */
function welcomeAll(listener: Socket): void {
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    arrival.client.setBlocking(false);
    clients.set(arrival.client.fd, { socket: arrival.client, length: 0 });
    epoll.register(arrival.client, EPOLLIN | EPOLLET);
  }
}
// #endregion welcome

// #region hear
/** Reads from this client until nothing is left, or it has had its share of the turn. */
function hear(client: Client): void {
  try {
    for (let read = 0; read < share; ) {
      const data = client.socket.recv(16 * 1024);
      if (data === null) {
        ready.delete(client); // nothing is left: the next arrival is an event
        return;
      }
      if (data.length === 0 || !answer(client, data)) {
        leave(client);
        return;
      }
      read += data.length;
    }
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
  ready.delete(client);
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
