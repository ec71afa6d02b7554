// Another right answer: a short read ends the loop, as epoll(7) allows for streams, because EPOLLRDHUP says when FIN has
// come. The listener is level-triggered, and accepts one client for each report. Those who have more wait in a queue.
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLRDHUP,
  Epoll,
  SO_REUSEADDR,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

interface Client {
  socket: Socket;
  soFar: number;
  /** The end has come, or an error: read until the kernel says so. */
  ends: boolean;
  queued: boolean;
}

const most = 4096;
const clients = new Map<number, Client>();
let queue: Client[] = [];

/** @returns "later" when there is more of this client */
function step(client: Client): "later" | "drained" | "gone" {
  const data = client.socket.recv(most);
  if (data === null) return "drained";
  if (data.length === 0) return "gone";
  let answers = "";
  for (const byte of data) {
    if (byte === 10) {
      answers += `${client.soFar} bytes\n`;
      client.soFar = 0;
    } else client.soFar++;
  }
  if (answers && client.socket.send(answers) !== answers.length) return "gone";
  return client.ends || data.length === most ? "later" : "drained";
}

function attend(client: Client): void {
  let outcome: ReturnType<typeof step> = "gone";
  try {
    outcome = step(client);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
  client.queued = outcome === "later";
  if (outcome === "later") queue.push(client);
  if (outcome !== "gone") return;
  clients.delete(client.socket.fd);
  epoll.unregister(client.socket);
  client.socket.close();
}

const epoll = new Epoll();
const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.setBlocking(false);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen(128);
epoll.register(listener, EPOLLIN);

for (;;) {
  for (const { fd, events } of epoll.poll(queue.length === 0 ? -1 : 0)) {
    const client = clients.get(fd);
    if (client === undefined) {
      const arrival = listener.accept();
      if (arrival === null) continue;
      arrival.client.setBlocking(false);
      clients.set(arrival.client.fd, { socket: arrival.client, soFar: 0, ends: false, queued: false });
      epoll.register(arrival.client, EPOLLIN | EPOLLRDHUP | EPOLLET);
      continue;
    }
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) client.ends = true;
    if (!client.queued) queue.push(client);
    client.queued = true;
  }
  const turn = queue;
  queue = [];
  for (const client of turn) attend(client);
}
