// Another right answer, in another style: epoll keeps the list in the kernel, so that it need not be handed over each
// time; and it wakes up once a second, for nothing in particular, as a server with deadlines would.
import { EPOLLIN, Epoll, SO_REUSEADDR, SOCK_NONBLOCK, SOL_SOCKET, Socket, SyscallError } from "workbook/net";

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

const epoll = new Epoll();
epoll.register(listener, EPOLLIN);
const who = new Map<number, Socket>();
const buffer = Buffer.alloc(4096);

function letOneIn(): void {
  const arrival = listener.accept(SOCK_NONBLOCK);
  if (arrival === null) return;
  who.set(arrival.client.fd, arrival.client);
  epoll.register(arrival.client, EPOLLIN);
}

function answer(client: Socket): void {
  let stays = false;
  try {
    const got = client.recvInto(buffer);
    stays = got === null || (got > 0 && client.send(buffer.subarray(0, got)) === got);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
  if (stays) return;
  epoll.unregister(client);
  who.delete(client.fd);
  client.close();
}

for (;;) {
  for (const { fd } of epoll.poll(1000)) {
    const client = who.get(fd);
    if (client) answer(client);
    else letOneIn();
  }
}
