// The kernel keeps the list of clients. A client is put on it when it connects and taken off when it leaves; a wait
// hands over no list and returns the clients that are ready. So a silent client costs nothing.
import {
  AF_INET,
  EPOLLIN,
  Epoll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

/** The interest list, in the kernel: the listener and all clients. */
const epoll = new Epoll();
const listener = new Socket(AF_INET, SOCK_STREAM);
/** The connected clients, by descriptor. */
const clients = new Map<number, Socket>();
/** No descriptor is free: until a client leaves, the server cannot accept, and does not wait for the listener. */
let full = false;

function main(port: number): void {
  listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  listener.bind({ host: "127.0.0.1", port });
  listener.listen(512);
  listener.setBlocking(false);

  // #region wait
  epoll.register(listener, EPOLLIN);
  while (true) {
    for (const { fd } of epoll.poll()) {
      if (fd === listener.fd) acceptAll();
      else hear(clients.get(fd)!);
    }
  }
  // #endregion wait
}

/** Accepts all clients in the accept queue. */
function acceptAll(): void {
  try {
    for (let arrival = listener.accept(); arrival !== null; arrival = listener.accept()) {
      arrival.client.setBlocking(false);
      clients.set(arrival.client.fd, arrival.client);
      epoll.register(arrival.client, EPOLLIN);
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    console.log(`cannot accept for now: ${error.message}`);
    full = true;
    epoll.modify(listener, 0);
  }
}

/** Sends this client's own bytes back. If there are more, the next call reports the client at once. */
function hear(client: Socket): void {
  try {
    const words = client.recv(1024);
    if (words === null) return; // ready is a hint; only the call itself knows
    // The client has closed, or it does not read its answers.
    if (words.length === 0 || client.send(words) !== words.length) leave(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    leave(client); // it reset its connection
  }
}

function leave(client: Socket): void {
  epoll.unregister(client);
  clients.delete(client.fd);
  client.close();
  if (full) epoll.modify(listener, EPOLLIN);
  full = false;
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7895");
  process.exit(1);
}
