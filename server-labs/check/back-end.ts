// Back end. A listener of the checker, for a server that is a client itself: it answers, keeps a connect waiting, or
// refuses it.

import {
  connecting,
  defaultWaitMs,
  type Journal,
  listenDrops,
  type Network,
  type Poller,
  quoted,
  socketByPorts,
} from "../clients.ts";
import { SO_LINGER, SOL_SOCKET, Socket, SyscallError } from "../runtime.ts";

export interface BackEndOptions {
  /**
   * What a connect to it meets. "accepts", the default. "full": its accept queue is full, so the kernel drops every
   * further SYN until accept() is called. "refuses": no socket listens on its port, so the kernel answers with RST.
   */
  state?: "accepts" | "full" | "refuses";
  /** Called with each line that comes, one character for each byte, without its line feed. Left out: it is silent. */
  onLine?: (line: string, connection: BackEndConnection) => void;
  /** Called when the server has ended its direction of a connection. Left out: the connection is closed. */
  onEnd?: (connection: BackEndConnection) => void;
}

interface Surroundings {
  network: Pick<Network, "watch" | "forget">;
  poller: Pick<Poller, "until">;
  journal: Pick<Journal, "note">;
  /** True: the server waits in a call that no event will end, so it is useless to wait for it. */
  isStuck?: () => boolean;
}

export class BackEnd {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** All lines that have come, on all connections. */
  readonly lines: string[] = [];
  /** The connections that neither side has closed, in the order in which they were accepted. */
  readonly connections = new Set<BackEndConnection>();
  readonly #listener = new Socket();
  /** The connection that fills the accept queue. */
  #filler: Socket | null = null;
  readonly #around: Surroundings;
  readonly #onLine: NonNullable<BackEndOptions["onLine"]>;
  readonly #onEnd: NonNullable<BackEndOptions["onEnd"]>;

  constructor(
    around: Surroundings,
    { state = "accepts", onLine = () => {}, onEnd = connection => connection.close() }: BackEndOptions = {},
  ) {
    this.#around = around;
    this.#onLine = onLine;
    this.#onEnd = onEnd;
    this.#listener.bind({ port: 0 });
    this.port = this.#listener.localAddress().port;
    // Bound, it keeps the port from other programs, also while it does not listen.
    if (state === "refuses") return;
    this.#listener.listen(state === "full" ? 0 : 512);
    this.#listener.setBlocking(false);
    if (state === "accepts") this.#watch();
    else this.#fill();
  }

  /** The descriptor of its listener, for the network. */
  get fd(): number {
    return this.#listener.fd;
  }

  /** Of a "full" one: accepts connections from now on. A client whose SYN was dropped sends it again, one second after the first. */
  accept(): void {
    this.#around.journal.note(`back end ${this.port} accepts connections from now on`);
    this.#listener.accept()?.client.close();
    this.#filler?.close();
    this.#listener.listen(512);
    this.#watch();
  }

  /** Waits until a connect to this "full" one is in progress: its SYN was sent, and dropped. @returns whether one is */
  async receivesSyn(): Promise<boolean> {
    const waits = () => connecting().some(({ remotePort }) => remotePort === this.port);
    // Each SYN that is dropped is counted, of this back end or of another: only then is it worth to look whose it was.
    let drops = -1;
    await this.#until(() => {
      const now = listenDrops();
      if (now === drops) return false;
      drops = now;
      return waits();
    });
    const found = waits();
    this.#around.journal.note(`back end ${this.port} has ${found ? "dropped a SYN" : "got no SYN"}`);
    return found;
  }

  /** Waits until so many lines have come. @returns how many have come */
  async receives(lines: number): Promise<number> {
    await this.#until(() => this.lines.length >= lines);
    return this.lines.length;
  }

  /** Waits until the server has closed all its connections to this back end. @returns how many are open */
  async releases(): Promise<number> {
    await this.#until(() => this.connections.size === 0);
    return this.connections.size;
  }

  /** The network calls this when epoll reports the listener. */
  onReady(): void {
    for (let next = this.#listener.accept(); next !== null; next = this.#listener.accept()) {
      next.client.setBlocking(false);
      this.#around.journal.note(`back end ${this.port} has accepted a connection`);
      this.connections.add(new BackEndConnection(next.client, next.peer.port, this, this.#around));
    }
  }

  /** A connection calls this with each line. */
  onLine(line: string, connection: BackEndConnection): void {
    this.#around.journal.note(`back end ${this.port} has got ${quoted(Buffer.from(line, "latin1"))}`);
    this.lines.push(line);
    this.#onLine(line, connection);
  }

  /** A connection calls this when the server has ended its direction. */
  onEnd(connection: BackEndConnection): void {
    this.#around.journal.note(`back end ${this.port} has got the end of a connection (FIN)`);
    this.#onEnd(connection);
  }

  /** Closes the listener and every connection. */
  close(): void {
    this.#around.network.forget(this);
    for (const connection of this.connections) connection.close();
    this.#filler?.close();
    this.#listener.close();
  }

  async #until(probe: () => boolean): Promise<void> {
    const { poller, isStuck } = this.#around;
    await poller.until(() => probe() || isStuck?.(), defaultWaitMs);
  }

  /** An accept queue of length 0 has room for one connection. */
  #fill(): void {
    this.#filler = new Socket();
    this.#filler.connect({ port: this.port });
  }

  #watch(): void {
    this.#around.network.watch(this, { read: true, write: false });
  }
}

/** The back end's side of one connection. */
export class BackEndConnection {
  readonly #socket: Socket;
  readonly #serverPort: number;
  readonly #backEnd: BackEnd;
  readonly #around: Surroundings;
  #unread = "";
  #unsent = Buffer.alloc(0);
  /** end() was called: what is still unsent goes first. */
  #ending = false;
  /** The server has ended its direction. */
  #ended = false;

  /** @param serverPort the port at the server's end */
  constructor(socket: Socket, serverPort: number, backEnd: BackEnd, around: Surroundings) {
    this.#socket = socket;
    this.#serverPort = serverPort;
    this.#backEnd = backEnd;
    this.#around = around;
    this.#watch();
  }

  get fd(): number {
    return this.#socket.fd;
  }

  /** The server has ended its direction of this connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The server has read everything that was sent on this connection. */
  get isRead(): boolean {
    const [here, there] = [this.#backEnd.port, this.#serverPort];
    const own = socketByPorts(here, there)?.sendQueue ?? 0;
    return this.#unsent.length + own + (socketByPorts(there, here)?.recvQueue ?? 0) === 0;
  }

  /** Sends these bytes, one character for each, as fast as the kernel accepts them; returns at once. */
  send(bytes: string): void {
    this.#around.journal.note(`back end ${this.#backEnd.port} sends ${quoted(Buffer.from(bytes, "latin1"))}`);
    this.#unsent = Buffer.concat([this.#unsent, Buffer.from(bytes, "latin1")]);
    this.#attempt(() => this.#flush());
  }

  /** Closes the connection when everything is sent. */
  end(): void {
    this.#around.journal.note(`back end ${this.#backEnd.port} closes the connection`);
    this.#ending = true;
    this.#attempt(() => this.#flush());
  }

  /** Cuts the connection off: RST instead of FIN. socket(7), SO_LINGER. */
  reset(): void {
    this.#around.journal.note(`back end ${this.#backEnd.port} resets the connection (RST)`);
    this.#socket.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
    this.close();
  }

  /** Closes the connection at once. */
  close(): void {
    if (this.fd === -1) return;
    this.#around.network.forget(this);
    this.#backEnd.connections.delete(this);
    this.#socket.close();
  }

  /** The network calls this when epoll reports the socket. */
  onReady({ readable }: { readable: boolean }): void {
    this.#attempt(() => {
      if (readable) this.#receive();
      this.#flush();
    });
  }

  #receive(): void {
    const bytes = this.#socket.recv(64 * 1024);
    if (bytes === null) return;
    if (bytes.length === 0) {
      this.#ended = true;
      this.#backEnd.onEnd(this);
      return;
    }
    const lines = (this.#unread + bytes.toString("latin1")).split("\n");
    this.#unread = lines.pop()!;
    for (const line of lines) this.#backEnd.onLine(line, this);
  }

  #flush(): void {
    if (this.fd === -1) return;
    if (this.#unsent.length > 0) this.#unsent = this.#unsent.subarray(this.#socket.send(this.#unsent) ?? 0);
    if (this.#ending && this.#unsent.length === 0) this.close();
    else this.#watch();
  }

  #watch(): void {
    this.#around.network.watch(this, { read: !this.#ended, write: this.#unsent.length > 0 });
  }

  #attempt(step: () => void): void {
    if (this.fd === -1) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#around.journal.note(`back end ${this.#backEnd.port}: the connection is broken (${error.code})`);
      this.close();
    }
  }
}
