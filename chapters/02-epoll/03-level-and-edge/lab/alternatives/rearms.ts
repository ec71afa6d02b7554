// Another right answer: no list of its own. After its share a client's registration is made once more, and epoll_ctl looks
// whether it is ready: the kernel's list is in the order in which clients wait.
import {
  EPOLLET,
  EPOLLIN,
  Epoll,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

const mask = EPOLLIN | EPOLLET;
const epoll = new Epoll();
const connections = new Map<number, Connection>();

class Connection {
  readonly #socket: Socket;
  #bytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    epoll.register(socket, mask);
  }

  hear(): void {
    let state: "all read" | "more" | "over" = "more";
    try {
      for (let reads = 0; state === "more" && reads < 8; reads++) state = this.#read();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      state = "over";
    }
    if (state === "more") epoll.modify(this.#socket, mask);
    if (state === "over") this.#close();
  }

  #read(): "all read" | "more" | "over" {
    const piece = this.#socket.recv(8000);
    if (piece === null) return "all read";
    if (piece.length === 0) return "over";
    const parts = piece.toString("latin1").split("\n");
    let answers = "";
    for (const part of parts.slice(0, -1)) {
      answers += `${this.#bytes + part.length} bytes\n`;
      this.#bytes = 0;
    }
    this.#bytes += parts.at(-1)!.length;
    return answers === "" || this.#socket.send(answers) === answers.length ? "more" : "over";
  }

  #close(): void {
    connections.delete(this.#socket.fd);
    epoll.unregister(this.#socket);
    this.#socket.close();
  }
}

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen(512);
listener.setBlocking(false);
epoll.register(listener, mask);

while (true) {
  for (const { fd } of epoll.poll()) {
    if (fd !== listener.fd) {
      connections.get(fd)?.hear();
      continue;
    }
    for (let one = listener.accept(SOCK_NONBLOCK); one; one = listener.accept(SOCK_NONBLOCK))
      connections.set(one.client.fd, new Connection(one.client));
  }
}
