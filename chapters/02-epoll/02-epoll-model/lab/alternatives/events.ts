// Another right answer, in quite another style: Node's own sockets. Their event loop sleeps in one call of epoll for all.
import { createServer } from "node:net";

createServer(client => {
  client.on("data", data => console.log(`${client.remotePort}: ${data}`));
  client.on("error", () => client.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1", 512);
