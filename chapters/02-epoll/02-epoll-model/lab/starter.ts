// The course's 2.2, epoll 简单模型: one process sleeps in epoll_wait until the listener or a client has news.
// A faithful port of the listing. It loses clients and bytes, and that is the exercise.
import {
  type Address,
  AF_INET,
  EPOLLET,
  EPOLLIN,
  Epoll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
} from "workbook/net";

function main(port: number): void {
  // #region register
  const server = new Socket(AF_INET, SOCK_STREAM);
  server.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  // The course binds "", which is every network card: a computer in your Wi-Fi could connect.
  server.bind({ host: "127.0.0.1", port });
  server.listen(10);

  const epoll = new Epoll();
  epoll.register(server, EPOLLIN | EPOLLET);
  // #endregion register

  // #region clients
  /** The connected clients, by descriptor: the socket of each, and the address at its other end. */
  const connections = new Map<number, Socket>();
  const addresses = new Map<number, Address>();
  // #endregion clients

  // #region loop
  while (true) {
    for (const { fd, events } of epoll.poll()) {
      // #region accept
      if (fd === server.fd) {
        const { client, peer } = server.accept()!;
        console.log(`a new client: ${peer.host}:${peer.port}`);
        connections.set(client.fd, client);
        addresses.set(client.fd, peer);
        epoll.register(client, EPOLLIN | EPOLLET);
        // #endregion accept
        // #region hear
      } else if (events === EPOLLIN) {
        const data = connections.get(fd)!.recv(1024)!;
        if (data.length > 0) {
          console.log(`recv: ${data}`);
        } else {
          const { host, port } = addresses.get(fd)!;
          epoll.unregister(fd);
          connections.get(fd)!.close();
          console.log(`${host}:${port} ---offline---`);
          connections.delete(fd);
          addresses.delete(fd);
        }
      }
      // #endregion hear
    }
  }
  // #endregion loop
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7896");
  process.exit(1);
}
