// With poll() in place of epoll: the list of what is waited for is made anew in each turn, so there is nothing to take off.
import {
  AF_INET,
  POLLIN,
  POLLOUT,
  poll,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
} from "workbook/net";

class Client {
  input: Buffer = Buffer.alloc(0);
  output: Iterator<Buffer> | null = null;
  piece: Buffer = Buffer.alloc(0);
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get wants(): number {
    return this.piece.length > 0 ? POLLOUT : POLLIN;
  }

  /** @returns whether the client stays */
  step(): boolean {
    if (this.piece.length === 0) {
      const data = this.socket.recv(8192);
      if (data?.length === 0) return false;
      if (data) this.input = Buffer.concat([this.input, data]);
      this.advance();
    }
    for (let i = 0; i < 4 && this.piece.length > 0; i++) {
      const took = this.socket.send(this.piece);
      if (took === null) return true;
      this.piece = this.piece.subarray(took);
      this.advance();
    }
    return this.input.length < 65_536;
  }

  /** Puts the next piece in place, of this answer or of the next one. */
  advance(): void {
    while (this.piece.length === 0) {
      const next = this.output?.next();
      if (next && !next.done) this.piece = next.value;
      else {
        const end = this.input.indexOf("\r\n\r\n");
        if (end < 0) return;
        this.output = answer(this.input.toString("latin1", 0, end).split(" ")[1] ?? "");
        this.input = this.input.subarray(end + 4);
      }
    }
  }
}

function* answer(target: string): Generator<Buffer, void> {
  const leaves = Math.min(Number(/^\/leaves\/(\d+)$/.exec(target)?.[1] ?? 0), 64 * 1024 * 1024);
  const words = leaves ? "" : `you asked for ${target}\n`;
  yield Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${leaves || words.length}\r\n\r\n${words}`);
  const tea = Buffer.alloc(Math.min(leaves, 100_000), "tea ");
  for (let left = leaves; left > 0; left -= tea.length) yield tea.subarray(0, left);
}

const listener = new Socket(AF_INET, SOCK_STREAM);
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.bind({ host: "127.0.0.1", port: Number(process.argv[2]) });
listener.listen(128);
listener.setBlocking(false);
const clients = new Map<number, Client>();

while (true) {
  const asked = [...clients.values()].map(client => ({ fd: client.socket, events: client.wants }));
  for (const { fd } of poll([{ fd: listener, events: POLLIN }, ...asked])) {
    const client = clients.get(fd);
    if (!client) accept();
    else if (!stays(client)) {
      clients.delete(fd);
      client.socket.close();
    }
  }
}

function accept(): void {
  for (let next = listener.accept(); next; next = listener.accept()) {
    next.client.setBlocking(false);
    clients.set(next.client.fd, new Client(next.client));
  }
}

function stays(client: Client): boolean {
  try {
    return client.step();
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}
