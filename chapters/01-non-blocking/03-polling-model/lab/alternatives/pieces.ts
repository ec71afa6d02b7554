// Another right answer, in another style: small reads, a new array in each turn, and at most sixteen new clients in
// one turn.
import {
  type Address,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  Socket,
  SyscallError,
  sleep,
} from "workbook/net";

class Client {
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

function* newClients(listener: Socket, most: number): Generator<Client> {
  for (let i = 0; i < most; i++) {
    const arrival = listener.accept(SOCK_NONBLOCK);
    if (arrival === null) return;
    yield new Client(arrival.client, arrival.peer);
  }
}

const listener = new Socket();
listener.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
listener.setBlocking(false);
listener.bind({ port: Number(process.argv[2]) });
listener.listen(64);

let clients: Client[] = [];
let full = false;
for (;;) {
  const before = clients.length;
  try {
    for (const client of newClients(listener, 16)) clients.push(client);
    full = false;
  } catch (error) {
    if (!(error instanceof SyscallError && error.code === "EMFILE")) throw error;
    if (!full) console.log("EMFILE: new clients must wait");
    full = true;
  }
  const looked = clients.map(client => client.look());
  const worked = clients.length > before || looked.includes(true);
  clients = clients.filter(client => !client.gone);
  if (!worked) sleep(20);
}
