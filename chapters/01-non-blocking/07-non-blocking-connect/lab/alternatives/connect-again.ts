// Another right answer, in another style: it asks for the end of a handshake with connect() itself, which returns false
// while it is in progress, and each client is a generator that yields while it waits.
import {
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
  sleep,
} from "workbook/net";

class Guest {
  readonly socket: Socket;
  readonly task: Generator<void, void>;
  bytes = Buffer.alloc(0);
  kitchen: Socket | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    this.task = this.#serve();
  }

  /** @returns whether the guest has left */
  hear(): boolean {
    if (this.bytes.length > 8192) return false;
    const data = this.socket.recv(4096);
    if (data !== null) this.bytes = Buffer.concat([this.bytes, data]);
    return data?.length === 0;
  }

  close(): void {
    this.kitchen?.close();
    this.socket.close();
  }

  *#serve(): Generator<void, void> {
    for (;;) {
      const end = this.bytes.indexOf(10);
      if (end === -1) {
        yield;
        continue;
      }
      const line = this.bytes.subarray(0, end);
      this.bytes = this.bytes.subarray(end + 1);
      let answer: Uint8Array | string | null;
      try {
        answer = yield* this.#ask(line);
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        answer = error.code;
      }
      this.kitchen?.close();
      this.kitchen = null;
      if (answer === null) return;
      this.socket.send(Buffer.concat([Buffer.from(answer), Buffer.from("\n")]));
    }
  }

  *#ask(line: Buffer): Generator<void, Uint8Array | string | null> {
    const space = line.indexOf(" ");
    const port = line.toString("latin1", 0, Math.max(space, 0));
    if (!/^\d+$/.test(port) || Number(port) > 65535 || space === line.length - 1) return null;
    this.kitchen = new Socket(undefined, SOCK_STREAM | SOCK_NONBLOCK);
    const until = Date.now() + 2000;
    while (!isConnected(this.kitchen, Number(port))) {
      yield;
      if (Date.now() > until && !isConnected(this.kitchen, Number(port))) return "ETIMEDOUT";
    }
    this.kitchen.send(Buffer.concat([line.subarray(space + 1), Buffer.from("\n")]));
    let answer = Buffer.alloc(0);
    for (;;) {
      const data = this.kitchen.recv(4096);
      if (data === null) yield;
      else if (data.length === 0) return "ENODATA";
      else answer = Buffer.concat([answer, data]);
      if (answer.includes("\n")) return answer.subarray(0, answer.indexOf("\n"));
    }
  }
}

/** Begins the handshake, or asks how it is. */
function isConnected(socket: Socket, port: number): boolean {
  try {
    return socket.connect({ port });
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EISCONN") return true;
    throw error;
  }
}

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, true);
listener.setBlocking(false);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(64);

const guests = new Set<Guest>();
for (;;) {
  for (let next = listener.accept(SOCK_NONBLOCK); next; next = listener.accept(SOCK_NONBLOCK))
    guests.add(new Guest(next.client));
  for (const guest of guests) {
    let left = true;
    try {
      left = guest.hear();
      left = left || guest.task.next().done === true;
    } catch {
      left = true; // reset
    }
    if (left) {
      guest.close();
      guests.delete(guest);
    }
  }
  sleep(3);
}
