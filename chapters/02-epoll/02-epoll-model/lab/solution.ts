// One process sleeps in epoll_wait until the listener or a client is ready. Level-triggered: what it leaves unread or
// not accepted, the next epoll_wait reports again.
import {
  AF_INET,
  EPOLLERR,
  EPOLLHUP,
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
  name: string;
}

const epoll = new Epoll();
/** The connected clients, by descriptor: what is in this Map is open and registered. */
const clients = new Map<number, Client>();

function main(port: number): void {
  // #region register
  const listener = new Socket(AF_INET, SOCK_STREAM);
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(512);
  listener.setBlocking(false);

  epoll.register(listener, EPOLLIN);
  // #endregion register

  // #region loop
  while (true) {
    for (const { fd, events } of epoll.poll()) {
      if (fd === listener.fd) acceptAll(listener);
      else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) hear(clients.get(fd)!);
    }
  }
  // #endregion loop
}

// #region accept
/** Accepts all clients in the accept queue. */
function acceptAll(listener: Socket): void {
  for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
    const { client: socket, peer } = arrival;
    socket.setBlocking(false); // on Linux an accepted socket does not inherit this from the listener
    const client = { socket, name: `${peer.host}:${peer.port}` };
    clients.set(socket.fd, client);
    epoll.register(socket, EPOLLIN);
    console.log(`${client.name} connected; ${clients.size} clients`);
  }
}
// #endregion accept

// #region hear
/** Reads once. If more bytes are there, the next epoll_wait reports this client at once. */
function hear(client: Client): void {
  try {
    const data = client.socket.recv(64 * 1024);
    if (data === null) return; // a report is a hint; only the call itself knows
    if (data.length > 0) console.log(`${client.name} sent ${data}`);
    else leave(client, "has closed");
  } catch (error) {
    // An error on this connection ends this connection only.
    if (!(error instanceof SyscallError)) throw error;
    leave(client, `is lost: ${error.message}`);
  }
}

function leave(client: Client, how: string): void {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd); // before close(): after it, fd is -1
  client.socket.close();
  console.log(`${client.name} ${how}; ${clients.size} clients`);
}
// #endregion hear

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7896");
  process.exit(1);
}
