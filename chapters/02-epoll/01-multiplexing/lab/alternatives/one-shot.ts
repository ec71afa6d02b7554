// Another right answer, in another style: each descriptor has a handler, and a registration is good for one report. A
// handler re-arms it when it is done, as a server does that hands its clients to several threads.
import {
  EPOLLIN,
  EPOLLONESHOT,
  Epoll,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

const once = EPOLLIN | EPOLLONESHOT;
const epoll = new Epoll();
const handlers = new Map<number, () => void>();

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);
handlers.set(listener.fd, acceptOne);
epoll.register(listener, once);

function acceptOne(): void {
  const client = listener.accept(SOCK_NONBLOCK)?.client;
  if (client) {
    handlers.set(client.fd, () => echo(client));
    epoll.register(client, once);
  }
  epoll.modify(listener, once);
}

function echo(client: Socket): void {
  if (answers(client)) epoll.modify(client, once);
  else {
    handlers.delete(client.fd);
    client.close(); // no other descriptor refers to it: the kernel takes it off the list
  }
}

/** @returns whether the client stays */
function answers(client: Socket): boolean {
  try {
    const words = client.recv(4096);
    return words === null || (words.length > 0 && client.send(words) === words.length);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return false;
  }
}

while (true) for (const { fd } of epoll.poll()) handlers.get(fd)?.();
