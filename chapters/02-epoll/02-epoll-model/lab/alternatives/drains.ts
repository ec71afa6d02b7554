// Another right answer, in another style: edge-triggered, and so each descriptor is asked until it would block.
import { EPOLLET, EPOLLIN, Epoll, SO_REUSEADDR, SOCK_NONBLOCK, SOL_SOCKET, Socket } from "workbook/net";

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ port: Number(process.argv[2]) });
listener.listen();
listener.setBlocking(false);

const epoll = new Epoll();
const onEvent = new Map<number, () => void>([[listener.fd, letIn]]);
epoll.register(listener, EPOLLIN | EPOLLET);

function letIn(): void {
  for (let one = listener.accept(SOCK_NONBLOCK); one !== null; one = listener.accept(SOCK_NONBLOCK)) {
    const { client } = one;
    onEvent.set(client.fd, () => drain(client));
    epoll.register(client, EPOLLIN | EPOLLET);
  }
}

function drain(client: Socket): void {
  try {
    for (let data = client.recv(4096); data !== null; data = client.recv(4096)) {
      if (data.length === 0) throw new Error("the client has closed");
      process.stdout.write(data);
    }
  } catch (error) {
    onEvent.delete(client.fd);
    client.close(); // no other descriptor refers to it, so the kernel unregisters it
    console.log(`${error}`);
  }
}

for (;;) for (const { fd } of epoll.poll()) onEvent.get(fd)?.();
