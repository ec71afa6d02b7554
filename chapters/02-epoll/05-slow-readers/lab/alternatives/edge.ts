// Edge-triggered, and registered once for both directions: the server itself remembers who is readable and who has room, and
// clients that have had their share wait on a list of its own.
import {
  AF_INET,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  Epoll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

interface Client {
  socket: Socket;
  readable: boolean;
  writable: boolean;
  input: string;
  /** What is left: text first, then so many bytes of tea from this place in the pattern. */
  text: Buffer;
  tea: number;
  place: number;
}

const port = Number(process.argv[2]);
const epoll = new Epoll();
const clients = new Map<number, Client>();
let ready = new Set<Client>();
const leaf = Buffer.alloc(64 * 1024 + 4, "tea ");

const listener = new Socket(AF_INET, SOCK_STREAM);
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port });
listener.listen(128);
listener.setBlocking(false);
epoll.register(listener, EPOLLIN);

while (true) {
  for (const { fd, events } of epoll.poll(ready.size > 0 ? 0 : -1)) {
    const client = clients.get(fd);
    if (!client) {
      welcome();
      continue;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) client.readable = true;
    if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) client.writable = true;
    ready.add(client);
  }
  const turn = ready;
  ready = new Set();
  for (const client of turn) if (step(client)) ready.add(client);
}

function welcome(): void {
  for (let next = listener.accept(); next !== null; next = listener.accept()) {
    const socket = next.client;
    socket.setBlocking(false);
    clients.set(socket.fd, {
      socket,
      readable: false,
      writable: true,
      input: "",
      text: Buffer.alloc(0),
      tea: 0,
      place: 0,
    });
    epoll.register(socket, EPOLLIN | EPOLLOUT | EPOLLET);
  }
}

/** A few calls for this client. @returns whether more can be done at once */
function step(client: Client): boolean {
  try {
    for (let calls = 0; calls < 8; calls++) {
      if (client.text.length > 0 || client.tea > 0) {
        if (!client.writable) return false;
        send(client);
      } else if (!next(client)) {
        if (!client.readable) return false;
        const data = client.socket.recv(4096);
        if (data === null) client.readable = false;
        else if (data.length === 0) return leave(client);
        else client.input += data.toString("latin1");
        if (client.input.length > 65_536) return leave(client);
      }
    }
    return true;
  } catch (error) {
    if (error instanceof SyscallError) return leave(client);
    throw error;
  }
}

function send(client: Client): void {
  const isText = client.text.length > 0;
  const at = client.place % 4;
  const bytes = isText ? client.text : leaf.subarray(at, at + Math.min(client.tea, 64 * 1024));
  const took = client.socket.send(bytes);
  if (took === null) client.writable = false;
  else if (isText) client.text = client.text.subarray(took);
  else {
    client.tea -= took;
    client.place += took;
  }
}

function next(client: Client): boolean {
  const end = client.input.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const target = client.input.split(" ", 2)[1] ?? "";
  client.input = client.input.slice(end + 4);
  const leaves = /^\/leaves\/([1-9]\d*)$/.exec(target);
  client.tea = leaves ? Math.min(Number(leaves[1]), 64 * 1024 * 1024) : 0;
  client.place = 0;
  const words = leaves ? "" : `you asked for ${target}\n`;
  const length = leaves ? client.tea : Buffer.byteLength(words);
  client.text = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${words}`);
  return true;
}

function leave(client: Client): false {
  epoll.unregister(client.socket);
  clients.delete(client.socket.fd);
  client.socket.close();
  return false;
}
