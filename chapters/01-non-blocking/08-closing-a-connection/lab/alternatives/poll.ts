// Another right answer, in another style: poll(2) wakes the server for what has come and for the next deadline, and a
// visitor is an object that is either ordering or going. The rest of an order goes into one buffer for all visitors.
import { type Address, POLLIN, poll, SOCK_NONBLOCK, Socket, SyscallError } from "workbook/net";

const rubbish = Buffer.alloc(256 * 1024);
const visitors = new Map<number, Visitor>();

class Visitor {
  readonly #socket: Socket;
  readonly #who: string;
  #pieces: Buffer[] = [];
  #left = 1_200_000;
  /** When it has to be gone; Infinity while it orders. */
  due = Number.POSITIVE_INFINITY;

  constructor(socket: Socket, { host, port }: Address) {
    this.#socket = socket;
    this.#who = `${host}:${port}`;
    visitors.set(socket.fd, this);
  }

  ready(): void {
    try {
      if (this.due === Number.POSITIVE_INFINITY) this.#order();
      else this.#discard();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.go();
    }
  }

  go(): void {
    visitors.delete(this.#socket.fd);
    this.#socket.close();
  }

  #order(): void {
    const piece = this.#socket.recv(4096);
    if (piece === null) return;
    this.#pieces.push(piece);
    const text = Buffer.concat(this.#pieces).toString("latin1");
    const [head, ...rest] = text.split("\r\n\r\n");
    const announced = Number(/^content-length:\s*(\d+)/im.exec(head!)?.[1] ?? "0");
    const body = rest.join("\r\n\r\n");
    if (rest.length > 0 && announced > 1000) this.#say("413 Too Long", "We can carry 1000 bytes.\n");
    else if (rest.length > 0 && body.length >= announced)
      this.#say("200 OK", `you ordered ${body.slice(0, announced)}\n`);
    else if (text.length > 30_000) this.#say("400 Bad Request", "This is too much.\n");
    else if (piece.length === 0) this.go();
  }

  #say(status: string, body: string): void {
    console.log(`${this.#who}: ${status}`);
    this.#pieces = [];
    const answer = `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n${body}`;
    this.#socket.send(Buffer.from(answer, "latin1"));
    this.#socket.shutdown("write");
    this.due = Date.now() + 1000;
  }

  #discard(): void {
    const bytes = this.#socket.recvInto(rubbish);
    if (bytes !== null) this.#left -= bytes;
    if (bytes === 0 || this.#left < 0) this.go();
  }
}

const door = new Socket();
door.bind({ port: Number(process.argv[2]) });
door.listen();
door.setBlocking(false);
for (;;) {
  const next = Math.min(...[...visitors.values()].map(({ due }) => due));
  const wait = next === Number.POSITIVE_INFINITY ? -1 : Math.max(0, next - Date.now());
  const fds = [door.fd, ...visitors.keys()];
  for (const { fd } of poll(
    fds.map(fd => ({ fd, events: POLLIN })),
    wait,
  )) {
    if (fd !== door.fd) visitors.get(fd)?.ready();
    else {
      const come = door.accept(SOCK_NONBLOCK);
      if (come) new Visitor(come.client, come.peer);
    }
  }
  for (const visitor of visitors.values()) if (visitor.due <= Date.now()) visitor.go();
}
