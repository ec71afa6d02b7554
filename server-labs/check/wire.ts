// Our end of one connection: a real socket that never waits. It takes what comes (unless told not to), sends as the
// kernel lets it, and is in one state at a time; what a check wants of it is not known here.
import { errnoName } from "../runtime/errno.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
  TCP_QUICKACK,
} from "../runtime/net.ts";
import { clock } from "./calls.ts";
import type { ClientOptions, ClientState } from "./client-options.ts";
import type { Journal } from "./journal.ts";
import type { Network } from "./network.ts";
import { Outgoing, Received } from "./traffic.ts";

/** Told of what a connection did, or what happened to it, as it happens; octets are those that were sent, or came. */
export type Observe = (
  wire: Wire,
  what: "connected" | "sent" | "got" | "ended" | "broken",
  octets?: Buffer,
  /** sent: when send(2) was called, in milliseconds of clock(): before the server can have read any of it. */
  began?: number,
) => void;

/** What it lives in. */
export interface Surroundings {
  network: Pick<Network, "watch" | "forget">;
  journal: Pick<Journal, "note">;
  observe?: Observe;
}

export class Wire {
  state: ClientState = "connecting";
  /** Why it is "broken": "ECONNRESET", "ECONNREFUSED". */
  trouble: string | null = null;
  readonly name: string;
  readonly fd: number;
  /** Its own port: the server knows it by that. 0 until it is connected. */
  port = 0;
  /** When the last bytes came, in milliseconds of clock(). */
  heardAt = 0;
  protected readonly incoming: Received;
  protected readonly outgoing = new Outgoing();
  protected readonly journal: Surroundings["journal"];
  readonly #socket: Socket;
  readonly #acknowledgesLate: boolean;
  readonly #network: Surroundings["network"];
  readonly #observe: Observe;
  #reads: boolean;

  constructor(surroundings: Surroundings, name: string, port: number, options: ClientOptions = {}) {
    this.#network = surroundings.network;
    this.journal = surroundings.journal;
    this.#observe = surroundings.observe ?? (() => {});
    this.name = name;
    this.#reads = options.reads ?? true;
    this.#acknowledgesLate = options.acknowledgesLate ?? false;
    this.incoming = new Received(options.keeps ?? true);
    const host = options.host ?? "127.0.0.1";
    this.#socket = new Socket(host.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
    this.fd = this.#socket.fd;
    this.#socket.setBlocking(false);
    // Before connect: the window that the peer is told of begins with it.
    if (options.receiveBuffer) this.#socket.setOption(SOL_SOCKET, SO_RCVBUF, options.receiveBuffer);
    this.#attempt(() => {
      if (this.#socket.connect({ host, port })) this.#opened();
    });
    this.#watch();
  }

  /** Nothing more will come. */
  get over(): boolean {
    return this.state === "ended" || this.state === "broken" || this.state === "closed";
  }

  /** Sends these octets, as fast as the kernel takes them; returns at once. */
  protected put(octets: Buffer): void {
    this.outgoing.add(octets);
    if (this.state === "open") {
      // Only until the kernel thinks otherwise, tcp(7): so it is said before each request.
      if (this.#acknowledgesLate) this.#attempt(() => this.#socket.setOption(IPPROTO_TCP, TCP_QUICKACK, 0));
      // A reset may be there already, and no turn has been in which we could have seen it.
      this.#attempt(() => this.#flush());
    }
    this.#watch();
  }

  /** From now on takes what comes, or does not. */
  read(reads: boolean): void {
    this.#reads = reads;
    this.#watch();
  }

  /** One recv(2) of at most so many octets, for a client who does not take what comes by itself. */
  takeSome(most: number): void {
    if (this.state === "open") this.#attempt(() => this.#take(most));
    this.#watch();
  }

  /** Nothing more will be sent. shutdown(2) */
  protected shutWrite(): void {
    this.#attempt(() => this.#socket.shutdown("write"));
  }

  /** Gives the socket back. close(2): the peer reads the end of the stream. */
  close(): void {
    if (this.state === "closed") return;
    this.#network.forget(this);
    this.state = "closed";
    this.#socket.close();
  }

  /** What close() says from now on is RST instead of FIN. socket(7), SO_LINGER. */
  protected linger(): void {
    this.#attempt(() => this.#socket.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0])));
  }

  /** Called by the network when the socket can move. */
  move(can: { readable: boolean; writable: boolean }): void {
    this.#attempt(() => {
      if (this.state === "connecting") this.#finishConnect();
      if (can.readable && this.#reads && this.state === "open") this.#take();
      if (can.writable && this.state === "open") this.#flush();
    });
    this.#watch();
  }

  #finishConnect(): void {
    const errno = this.#socket.getOption(SOL_SOCKET, SO_ERROR);
    if (errno === 0) this.#opened();
    else {
      // Only a connection that there was can be reset: it was accepted, and cut off before we looked.
      if (errnoName(errno) === "ECONNRESET") this.port = this.#socket.localAddress().port;
      this.#broken(errnoName(errno));
    }
  }

  #opened(): void {
    this.state = "open";
    this.port = this.#socket.localAddress().port;
    this.#observe(this, "connected");
    this.#flush();
  }

  #take(most = 256 * 1024): void {
    // One read a turn: epoll tells again while there is more.
    const bytes = this.#socket.recv(most);
    if (bytes === null) return;
    if (bytes.length === 0) {
      this.state = "ended";
      this.journal.note(`${this.name}: the server has closed the connection`);
      this.#observe(this, "ended");
      return;
    }
    this.incoming.add(bytes);
    this.heardAt = clock();
    this.#observe(this, "got", bytes);
  }

  #flush(): void {
    this.outgoing.flush(next => {
      const began = clock();
      const took = this.#socket.send(next);
      if (took !== null) this.#observe(this, "sent", next.subarray(0, took), began);
      return took;
    });
  }

  #watch(): void {
    if (this.state === "closed") return;
    const open = this.state === "open";
    const write = this.state === "connecting" || (open && this.outgoing.bytes > 0);
    this.#network.watch(this, { read: open && this.#reads, write });
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#broken(error.code);
    }
  }

  #broken(code: string): void {
    if (this.over) return;
    this.trouble = code;
    this.state = "broken";
    this.journal.note(`${this.name}: the connection is broken (${code})`);
    this.#observe(this, "broken");
  }
}
