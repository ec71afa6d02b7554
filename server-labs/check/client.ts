// One client: a real socket that never waits. It takes what comes (unless told not to), sends as the kernel lets
// it, and writes down what it did.

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
import { count, type Journal, quoted } from "./journal.ts";
import type { Network } from "./network.ts";
import type { Waiting } from "./wait.ts";

/** "connecting", then "open", then the first of: the peer closed, the peer reset or refused, we closed. */
export type ClientState = "connecting" | "open" | "ended" | "broken" | "closed";

export interface ClientOptions {
  /** Where the server is; 127.0.0.1 unless told. */
  host?: string;
  /** Takes what comes at once (the default); false: a reader who does not read. */
  reads?: boolean;
  /** SO_RCVBUF in bytes: how much the kernel takes for a client who does not read. */
  receiveBuffer?: number;
  /** Acknowledges what comes as late as it may, 40 ms: as every client does when it has been talking for a while. */
  acknowledgesLate?: boolean;
  /** Keeps what came (the default); false: it is counted, and told to who observes. */
  keeps?: boolean;
}

/** Told of what a client did, or what happened to it, as it happens; octets are those that were sent, or came. */
export type Observe = (
  client: Client,
  what: "connected" | "sent" | "got" | "ended" | "broken",
  octets?: Buffer,
  /** sent: when send(2) was called, in milliseconds of clock(): before the server can have read any of it. */
  began?: number,
) => void;

/** What a client lives in. */
export interface Surroundings {
  network: Pick<Network, "watch" | "forget">;
  waiting: Pick<Waiting, "until">;
  journal: Pick<Journal, "note">;
  observe?: Observe;
}

export interface Within {
  /** Milliseconds. */
  within?: number;
}

/** How long a check waits for what should come at once, on a machine that is busy with other things, in ms. */
export const patience = 5000;
/** And so many times, if something has come meanwhile. */
const mostWaits = 6;

export class Client {
  state: ClientState = "connecting";
  /** Why it is "broken": "ECONNRESET", "ECONNREFUSED". */
  trouble: string | null = null;
  readonly name: string;
  readonly fd: number;
  /** Its own port: the server knows it by that. 0 until it is connected. */
  port = 0;
  /** When the last bytes came, in milliseconds of clock(). */
  heardAt = 0;
  #socket: Socket;
  #reads: boolean;
  readonly #acknowledgesLate: boolean;
  #keeps: boolean;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #taken = 0;
  #outgoing: Buffer[] = [];
  #sentBytes = 0;
  #network: Surroundings["network"];
  #waiting: Surroundings["waiting"];
  #journal: Surroundings["journal"];
  #observe: Observe;

  constructor(surroundings: Surroundings, name: string, port: number, options: ClientOptions = {}) {
    this.#network = surroundings.network;
    this.#waiting = surroundings.waiting;
    this.#journal = surroundings.journal;
    this.#observe = surroundings.observe ?? (() => {});
    this.name = name;
    this.#reads = options.reads ?? true;
    this.#acknowledgesLate = options.acknowledgesLate ?? false;
    this.#keeps = options.keeps ?? true;
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

  /** All that came so far. */
  get received(): Buffer {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] ?? Buffer.alloc(0);
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes given to send() that the kernel has not taken yet. */
  get unsent(): number {
    return this.#outgoing.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** Bytes that the kernel has taken so far. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Sends these bytes, as fast as the kernel takes them; returns at once. */
  send(bytes: Uint8Array | string): this {
    const buffer = Buffer.from(bytes as string);
    this.#journal.note(`${this.name} sends ${quoted(buffer, 160)}`);
    this.#outgoing.push(buffer);
    if (this.state === "open") {
      // Only until the kernel thinks otherwise, tcp(7): so it is said before each request.
      if (this.#acknowledgesLate) this.#attempt(() => this.#socket.setOption(IPPROTO_TCP, TCP_QUICKACK, 0));
      // A reset may be there already, and no turn has been in which we could have seen it.
      this.#attempt(() => this.#flush());
    }
    this.#watch();
    return this;
  }

  /** Waits until the kernel has taken everything; false if it did not in time. */
  async sent({ within = patience }: Within = {}): Promise<boolean> {
    return (
      (await this.#waiting.until(() => this.unsent === 0 || this.over, within)) !== null && this.unsent === 0
    );
  }

  /** Waits until what came holds this text, or matches; null if it does not in time, or nothing more can come. */
  async hears(part: string | RegExp, { within = patience }: Within = {}): Promise<string | null> {
    const heard = () => {
      const text = this.received.toString("latin1");
      const found = typeof part === "string" ? text.includes(part) : part.test(text);
      return found ? text : this.over ? "" : null;
    };
    const text = await this.#waiting.until(heard, within);
    if (!text)
      this.#journal.note(
        `${this.name} has not got ${typeof part === "string" ? quoted(part) : part} (${this.#so()})`,
      );
    return text || null;
  }

  /**
   * Waits until a reader finds what it looks for in the octets that have come and are not yet taken, and takes so
   * many of them. The reader may say how many octets it needs at least; null if nothing comes in time that it looks for.
   */
  async takes<T extends { length: number }>(
    reader: (octets: Buffer, over: boolean) => T | { need: number },
    { within = patience, stop = () => false }: Within & { stop?: () => unknown } = {},
  ): Promise<T | null> {
    let need = 0;
    const look = () => {
      if (this.#receivedBytes - this.#taken < need && !this.over) return stop() ? "stop" : null;
      const found = reader(this.left, this.over);
      if (!("need" in found)) return found;
      need = found.need;
      return this.over || stop() ? "stop" : null;
    };
    // While octets come there is something to wait for: on a busy machine a large answer takes its time.
    let [found, before]: [T | "stop" | null, number] = [null, -1];
    for (let waits = 0; found === null && waits < mostWaits && this.#receivedBytes > before; waits++) {
      before = this.#receivedBytes;
      found = await this.#waiting.until(look, within);
    }
    if (found === null || found === "stop") return null;
    this.#taken += (found as T).length;
    return found as T;
  }

  /** What came and was not taken by takes(). */
  get left(): Buffer {
    return this.received.subarray(this.#taken);
  }

  /** Octets taken so far: where `left` begins in all that came. */
  get taken(): number {
    return this.#taken;
  }

  /** Waits until the server has ended this connection; "ended" or "broken", null if it does not in time. */
  async closed({ within = patience }: Within = {}): Promise<ClientState | null> {
    return this.#waiting.until(() => this.over && this.state, within);
  }

  /** Nothing more will come. */
  get over(): boolean {
    return this.state === "ended" || this.state === "broken" || this.state === "closed";
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

  /** Half-close: nothing more will be sent, all is still read. shutdown(2). */
  end(): void {
    this.#journal.note(`${this.name} ends its half of the connection (FIN)`);
    this.#attempt(() => this.#socket.shutdown("write"));
  }

  /** Leaves in good order. close(2); the server reads the end of the stream. */
  close(): void {
    if (this.state === "closed") return;
    this.#journal.note(`${this.name} closes`);
    this.#gone();
  }

  /** Leaves as a client does whose machine is pulled from the wall: RST instead of FIN. socket(7), SO_LINGER. */
  reset(): void {
    if (this.state === "closed") return;
    this.#journal.note(`${this.name} is cut off (RST)`);
    this.#attempt(() => this.#socket.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0])));
    this.#gone();
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
      this.#journal.note(`${this.name}: the server has closed the connection`);
      this.#observe(this, "ended");
      return;
    }
    if (this.#keeps) this.#received.push(bytes);
    this.#receivedBytes += bytes.length;
    this.heardAt = clock();
    this.#observe(this, "got", bytes);
  }

  #flush(): void {
    while (this.#outgoing.length > 0) {
      const [next] = this.#outgoing as [Buffer];
      const began = clock();
      const took = this.#socket.send(next);
      if (took === null) return;
      this.#sentBytes += took;
      this.#observe(this, "sent", next.subarray(0, took), began);
      if (took < next.length) this.#outgoing[0] = next.subarray(took);
      else this.#outgoing.shift();
    }
  }

  #watch(): void {
    if (this.state === "closed") return;
    const connecting = this.state === "connecting";
    const open = this.state === "open";
    this.#network.watch(this, {
      read: open && this.#reads,
      write: connecting || (open && this.#outgoing.length > 0),
    });
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
    this.#journal.note(`${this.name}: the connection is broken (${code})`);
    this.#observe(this, "broken");
  }

  #gone(): void {
    this.#network.forget(this);
    this.state = "closed";
    this.#socket.close();
  }

  #so(): string {
    const got = this.#receivedBytes === 0 ? "nothing came" : `${count(this.#receivedBytes, "byte")} came`;
    return this.state === "open" ? got : `${got}, and the connection is ${this.state}`;
  }
}
