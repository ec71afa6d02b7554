// Another right answer, in quite another style: Node's own sockets. Their event loop waits in epoll, too.
import { createServer } from "node:net";

createServer(client => {
  client.on("data", words => client.write(words));
  client.on("error", () => client.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1", 512);
