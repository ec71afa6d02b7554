// Another right answer, in another style: edge-triggered. Each is told of once, and so read until nothing is left.
import { EPOLLET, EPOLLIN, Epoll, SO_REUSEADDR, SOCK_NONBLOCK, SOL_SOCKET, Socket } from "workbook/net";

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

const epoll = new Epoll();
epoll.register(listener, EPOLLIN | EPOLLET);
const what = new Map<number, () => void>([[listener.fd, letIn]]);

function letIn(): void {
  for (let one = listener.accept(SOCK_NONBLOCK); one !== null; one = listener.accept(SOCK_NONBLOCK)) {
    const { client } = one;
    what.set(client.fd, () => hear(client));
    epoll.register(client, EPOLLIN | EPOLLET);
  }
}

function hear(client: Socket): void {
  try {
    for (let words = client.recv(3); words !== null; words = client.recv(3)) {
      if (words.length === 0 || client.send(words) !== words.length)
        throw new Error("has gone, or does not read");
    }
  } catch {
    what.delete(client.fd);
    client.close();
  }
}

while (true) for (const { fd } of epoll.poll()) what.get(fd)?.();
