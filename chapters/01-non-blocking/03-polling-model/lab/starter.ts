// The course's 1.1, 单进程非堵塞 模型: one process, and no call that waits for a client.
// A faithful port of the listing: its half second of sleep and its bugs are the exercise.
import { type Address, AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, Socket, sleep } from "workbook/net";

/** The connected clients: for each its socket, and the address at the other end. */
const clients: { socket: Socket; peer: Address }[] = [];

function main(port: number): void {
  // #region socket
  const server = new Socket(AF_INET, SOCK_STREAM);
  server.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
  // The course binds "", which is every network card: a computer in your Wi-Fi could connect.
  server.bind({ host: "127.0.0.1", port });
  server.listen(128);
  // From here on accept() does not wait: if no client has connected, it returns null at once.
  server.setBlocking(false);
  // #endregion socket

  // #region loop
  while (true) {
    sleep(500); // slow enough to watch

    // #region accept
    try {
      const arrival = server.accept();
      if (arrival !== null) {
        const { client: socket, peer } = arrival;
        console.log(`a new client: ${peer.host}:${peer.port}`);
        socket.setBlocking(false); // recv() must not wait either
        clients.push({ socket, peer });
      }
    } catch {
      // no client has connected
    }
    // #endregion accept

    // #region sweep
    for (const client of clients) {
      const { socket, peer } = client;
      try {
        const data = socket.recv(1024);
        if (data === null) continue; // no bytes yet
        if (data.length > 0) {
          console.log(`recv[${peer.host}:${peer.port}]: ${JSON.stringify(data.toString())}`);
        } else {
          console.log(`[${peer.host}:${peer.port}] the client has closed`);
          socket.close();
          clients.splice(clients.indexOf(client), 1);
        }
      } catch {
        // no bytes yet
      }
    }
    // #endregion sweep

    console.log(clients); // for test
  }
  // #endregion loop
}

const port = Number(process.argv[2]);
if (process.argv.length === 3 && Number.isInteger(port)) {
  main(port);
} else {
  console.log("run it like this: npx tsx server.ts 7890");
  process.exit(1);
}
