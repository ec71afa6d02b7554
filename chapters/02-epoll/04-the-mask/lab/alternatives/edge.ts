// Another right answer, in another style: edge-triggered, and no mask is ever changed. Each socket is registered once with
// all that may be of interest; what epoll has reported is kept as notes, and each object acts when it can use a note.
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  Epoll,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Socket,
  SyscallError,
} from "workbook/net";

interface Party {
  socket: Socket;
  notice(events: number): void;
}

const epoll = new Epoll();
const parties = new Map<number, Party>();
const everything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

function join(party: Party): void {
  parties.set(party.socket.fd, party);
  epoll.register(party.socket, everything);
}

function drop({ socket }: Party): void {
  parties.delete(socket.fd);
  socket.close();
}

class Guest implements Party {
  readonly socket: Socket;
  kitchen: Kitchen | null = null;
  /** Its FIN has arrived, perhaps behind bytes that are not read. */
  ended = false;
  #words = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    join(this);
  }

  notice(events: number): void {
    if ((events & EPOLLERR) !== 0) {
      this.go();
      return;
    }
    if ((events & EPOLLRDHUP) !== 0) {
      this.ended = true;
      this.kitchen?.hurry();
    }
    if ((events & EPOLLIN) !== 0) this.proceed();
  }

  /** Takes one order after another until one is under way, or no more bytes are there. */
  proceed(): void {
    while (this.kitchen === null) {
      const end = this.#words.indexOf(10);
      if (end >= 0) {
        const line = this.#words.toString("latin1", 0, end);
        this.#words = this.#words.subarray(end + 1);
        const space = line.indexOf(" ");
        const port = Number.parseInt(line, 10);
        if (space < 1 || !(port <= 65535) || space + 1 === line.length) {
          this.go();
          return;
        }
        this.kitchen = new Kitchen(this, port, Buffer.from(`${line.slice(space + 1)}\n`, "latin1"));
        return;
      }
      const more = this.#receive();
      if (more === null) return;
      this.#words = Buffer.concat([this.#words, more]);
    }
  }

  answer(bytes: Buffer): void {
    this.kitchen = null;
    try {
      this.socket.send(bytes);
    } catch {
      this.go();
      return;
    }
    this.proceed();
  }

  go(): void {
    if (this.kitchen) drop(this.kitchen);
    drop(this);
  }

  #receive(): Buffer | null {
    try {
      const bytes = this.#words.length > 8192 ? Buffer.alloc(0) : this.socket.recv(2048);
      if (bytes === null || bytes.length > 0) return bytes;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
    this.go();
    return null;
  }
}

class Kitchen implements Party {
  readonly socket = new Socket(undefined, SOCK_STREAM | SOCK_NONBLOCK);
  readonly #guest: Guest;
  readonly #dish: Buffer;
  #brought = false;
  #pieces: Buffer[] = [];

  constructor(guest: Guest, port: number, dish: Buffer) {
    this.#guest = guest;
    this.#dish = dish;
    this.socket.connect({ port });
    join(this);
  }

  notice(events: number): void {
    try {
      // The first call on a failed socket throws its error: nothing asks for SO_ERROR.
      if (!this.#brought && (events & (EPOLLOUT | EPOLLHUP)) !== 0) {
        this.socket.send(this.#dish);
        this.#brought = true;
        if (this.#guest.ended) this.hurry();
      }
      if (this.#brought && (events & (EPOLLIN | EPOLLERR)) !== 0) this.#taste();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#finish(Buffer.from(`${error.code}\n`));
    }
  }

  hurry(): void {
    try {
      if (this.#brought) this.socket.shutdown("write");
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }

  #taste(): void {
    for (let piece = this.socket.recv(512); piece !== null; piece = this.socket.recv(512)) {
      if (piece.length === 0) {
        const all = Buffer.concat(this.#pieces);
        this.#finish(all.length > 0 ? all : Buffer.from("ENODATA\n"));
        return;
      }
      this.#pieces.push(piece);
    }
  }

  #finish(bytes: Buffer): void {
    drop(this);
    this.#guest.answer(bytes);
  }
}

const door = new Socket(undefined, SOCK_STREAM | SOCK_NONBLOCK);
door.bind({ port: Number(process.argv[2]) });
door.listen();
join({
  socket: door,
  notice() {
    for (let come = door.accept(SOCK_NONBLOCK); come; come = door.accept(SOCK_NONBLOCK))
      new Guest(come.client);
  },
});
for (;;) {
  const batch = epoll.poll().map(({ fd, events }) => [parties.get(fd), events] as const);
  for (const [party, events] of batch) if (party && party.socket.fd !== -1) party.notice(events);
}
