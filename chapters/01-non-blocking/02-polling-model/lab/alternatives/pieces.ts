// Another right answer, in another style: small pieces, an array that is made anew each turn, small reads, and
// no more than sixteen newcomers at a time.
import {
  type Address,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
  sleep,
} from "workbook/net";

class Guest {
  readonly #socket: Socket;
  readonly #peer: Address;
  gone = false;

  constructor(socket: Socket, peer: Address) {
    this.#socket = socket;
    this.#peer = peer;
  }

  /** True if there was anything to read. */
  look(): boolean {
    for (let reads = 0; reads < 64; reads++) {
      const piece = this.#read();
      if (piece === null) return reads > 0;
      if (piece.length === 0) return this.#leave();
    }
    return true;
  }

  #read(): Buffer | null {
    try {
      return this.#socket.recv(4096);
    } catch (error) {
      console.log(`${this.#peer.port}: ${(error as Error).message}`);
      return Buffer.alloc(0);
    }
  }

  #leave(): true {
    this.#socket.close();
    this.gone = true;
    console.log(`${this.#peer.port} has left`);
    return true;
  }
}

function* newcomers(listener: Socket, most: number): Generator<Guest> {
  for (let i = 0; i < most; i++) {
    const arrival = listener.accept(SOCK_NONBLOCK);
    if (arrival === null) return;
    yield new Guest(arrival.client, arrival.peer);
  }
}

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.setBlocking(false);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(64);

let guests: Guest[] = [];
for (;;) {
  const before = guests.length;
  try {
    for (const guest of newcomers(listener, 16)) guests.push(guest);
  } catch (error) {
    if (!(error instanceof SyscallError && error.code === "EMFILE")) throw error;
    console.log("EMFILE: whoever comes now has to wait");
  }
  const looked = guests.map(guest => guest.look());
  const worked = guests.length > before || looked.includes(true);
  guests = guests.filter(guest => !guest.gone);
  if (!worked) sleep(20);
}
