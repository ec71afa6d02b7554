// Client connection. The client's end of one TCP connection: a real socket that does not block, the bytes that came,
// and the bytes that are still to go.

import { clock } from "../lib/clock.ts";
import {
  AF_INET,
  AF_INET6,
  errnoName,
  IPPROTO_TCP,
  POLLOUT,
  poll,
  SO_ERROR,
  SO_LINGER,
  SO_RCVBUF,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  SyscallError,
  TCP_INFO,
  TCP_QUICKACK,
} from "../runtime.ts";
import type { Journal } from "./journal.ts";
import type { Network } from "./network.ts";

/**
 * A client begins as "connecting", and then is "open". It ends in the first of these three: the server has closed the
 * connection ("ended"), the connection was refused or reset ("broken"), or the client has closed it ("closed").
 */
export type ClientState = "connecting" | "open" | "ended" | "broken" | "closed";

export interface ClientOptions {
  /** The server's address; 127.0.0.1 by default. */
  host?: string;
  /** Reads what comes, at once; true by default. False: a client that does not read, until `setReading(true)`. */
  reads?: boolean;
  /** SO_RCVBUF in bytes, socket(7): how much the kernel holds for a client that does not read. */
  receiveBuffer?: number;
  /** Acknowledges what comes as late as TCP allows, 40 ms: so does every client whose connection is some time old. */
  acknowledgesLate?: boolean;
  /** Bytes that it sends in the moment in which it connects: for a server that limits how long it waits for them. */
  sends?: Uint8Array | string;
  /** Keeps what came; true by default. False: the bytes are counted, and given to the observer only. */
  keeps?: boolean;
}

/** Called for each event of a connection, when it happens. `bytes`: those that were sent, or came. */
export type Observe = (
  connection: ClientConnection,
  what: "connected" | "sent" | "got" | "ended" | "broken",
  bytes?: Buffer,
  /** sent: when send(2) was called, in milliseconds of clock(): before the server can have read any of the bytes. */
  began?: number,
) => void;

/** What a connection needs of the process that it runs in. */
export interface Surroundings {
  network: Pick<Network, "watch" | "forget">;
  journal: Pick<Journal, "note">;
  observe?: Observe;
}

export class ClientConnection {
  state: ClientState = "connecting";
  /** Why the state is "broken": "ECONNRESET", "ECONNREFUSED"; null in every other state. */
  trouble: string | null = null;
  readonly name: string;
  readonly fd: number;
  /** The client's own port, by which the server knows it; 0 until the client is connected. */
  port = 0;
  /** When the newest bytes came, in milliseconds of clock(). */
  receivedAt = 0;
  protected readonly incoming: Incoming;
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
    this.incoming = new Incoming(options.keeps ?? true);
    const host = options.host ?? "127.0.0.1";
    this.#socket = new Socket(host.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
    this.fd = this.#socket.fd;
    this.#socket.setBlocking(false);
    // Before connect: the first segment announces the window, and the window follows from this option.
    if (options.receiveBuffer) this.#socket.setOption(SOL_SOCKET, SO_RCVBUF, options.receiveBuffer);
    this.#attempt(() => {
      if (this.#socket.connect({ host, port })) this.#opened();
    });
    this.#watch();
  }

  /** No more bytes will come. */
  get over(): boolean {
    return this.state === "ended" || this.state === "broken" || this.state === "closed";
  }

  /** Sends these bytes, as fast as the kernel accepts them; returns at once. */
  protected enqueue(bytes: Buffer): void {
    this.outgoing.add(bytes);
    // On one machine the connection is there before epoll reports it: on a busy machine the report comes much later.
    if (this.state === "connecting") this.#attempt(() => this.#finishIfConnected());
    if (this.state === "open") {
      // The kernel sets TCP_QUICKACK again by itself, tcp(7): so the client clears it before each request.
      if (this.#acknowledgesLate) this.#attempt(() => this.#socket.setOption(IPPROTO_TCP, TCP_QUICKACK, 0));
      // A reset may have come already that epoll has not reported yet.
      this.#attempt(() => this.#flush());
    }
    this.#watch();
  }

  /** It reads what comes, as soon as it comes. */
  get reads(): boolean {
    return this.#reads;
  }

  /** Reads what comes from now on, or stops reading. */
  setReading(reads: boolean): void {
    this.#reads = reads;
    this.#watch();
  }

  /** Makes one recv(2) of at most `most` bytes: for a client that does not read by itself. */
  receiveOnce(most: number): void {
    if (this.state === "open") this.#attempt(() => this.#receive(most));
    this.#watch();
  }

  /**
   * How the newest bytes came, by the kernel's own record: struct tcp_info of linux/tcp.h. It is right however late
   * this process reads, and so it judges a server on a busy machine as on an idle one.
   * `segments`: all segments with data that came on this connection; `afterSending`: milliseconds from the last
   * segment that the client sent to the last one that came, in steps of the kernel's tick (1 to 10 ms).
   * @throws SyscallError EBADF after `close()`
   */
  delivery(): { segments: number; afterSending: number } {
    const info = this.#socket.getOption(IPPROTO_TCP, TCP_INFO, 156);
    return {
      segments: info.readUInt32LE(152), // tcpi_data_segs_in
      afterSending: info.readUInt32LE(44) - info.readUInt32LE(52), // tcpi_last_data_sent - tcpi_last_data_recv
    };
  }

  /**
   * Of a client that has sent nothing: milliseconds from the end of the handshake to the newest segment that came, such as
   * the FIN of a server that has waited long enough. By the kernel's own record, as delivery().
   * @throws SyscallError EBADF after `close()`
   */
  connectedFor(): number {
    const info = this.#socket.getOption(IPPROTO_TCP, TCP_INFO, 156);
    // The end of the handshake counts as sent data. tcpi_last_data_sent - tcpi_last_ack_recv
    return info.readUInt32LE(44) - info.readUInt32LE(56);
  }

  /** Bytes that this client's kernel has accepted and not sent, because the server's window is full; tcp_info. */
  get notSent(): number {
    if (this.state === "closed") return 0;
    return this.#socket.getOption(IPPROTO_TCP, TCP_INFO, 156).readUInt32LE(144); // tcpi_notsent_bytes
  }

  /**
   * Takes the error that the kernel has noted since the end of the stream, SO_ERROR of socket(7).
   * @returns "EPIPE" when RST has come behind FIN; null without an error
   */
  takeError(): string | null {
    const errno = this.state === "closed" ? 0 : this.#socket.getOption(SOL_SOCKET, SO_ERROR);
    return errno === 0 ? null : errnoName(errno);
  }

  /** Half-close, shutdown(2): the client sends no more. */
  protected shutdownWrite(): void {
    this.#attempt(() => this.#socket.shutdown("write"));
  }

  /** Closes the socket, close(2): the server reads the end of the stream. */
  close(): void {
    if (this.state === "closed") return;
    this.#network.forget(this);
    this.state = "closed";
    this.#socket.close();
  }

  /** From now on close() sends RST instead of FIN. socket(7), SO_LINGER. */
  protected resetOnClose(): void {
    this.#attempt(() => this.#socket.setOption(SOL_SOCKET, SO_LINGER, new Int32Array([1, 0])));
  }

  /** The network calls this when epoll reports the socket. */
  onReady(ready: { readable: boolean; writable: boolean }): void {
    this.#attempt(() => {
      if (this.state === "connecting") this.#finishConnect();
      if (ready.readable && this.#reads && this.state === "open") this.#receive();
      if (ready.writable && this.state === "open") this.#flush();
    });
    this.#watch();
  }

  #finishIfConnected(): void {
    if (poll([{ fd: this.#socket, events: POLLOUT }], 0).length > 0) this.#finishConnect();
  }

  #finishConnect(): void {
    const errno = this.#socket.getOption(SOL_SOCKET, SO_ERROR);
    if (errno === 0) this.#opened();
    else {
      // Only an established connection can be reset: the server accepted it and cut it off before epoll reported it.
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

  #receive(most?: number): void {
    // One recv for each report: epoll is level-triggered here, and reports again while there is more.
    const bytes = this.incoming.receive(this.#socket, most);
    if (bytes === null) return;
    if (bytes.length === 0) {
      this.state = "ended";
      this.journal.note(`${this.name}: the server has closed the connection`);
      this.#observe(this, "ended");
      return;
    }
    this.receivedAt = clock();
    this.#observe(this, "got", bytes);
  }

  #flush(): void {
    this.outgoing.flush(next => {
      const began = clock();
      const sent = this.#socket.send(next);
      if (sent !== null) this.#observe(this, "sent", next.subarray(0, sent), began);
      return sent;
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

/** Room for the first bytes that come. */
const firstRoom = 16 * 1024;
/** The most bytes of one recv, so that a client that gets much does not keep its process from the other clients. */
const mostAtOnce = 256 * 1024;

/** The bytes that came on one connection, and how many of them the client has parsed. */
class Incoming {
  /** All bytes that came. */
  bytes = 0;
  /** The bytes that are parsed: `unparsed` begins behind them. */
  parsedBytes = 0;
  readonly #keeps: boolean;
  /** What came, and room for more. Bytes in it are never written again: parts of it may be kept. */
  #buffer = Buffer.alloc(0);

  /** @param keeps false: the bytes are counted, and not kept */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /**
   * Makes one recv(2).
   * @param most the most bytes to take; without it, as many as there is room for, and at most 256 KB
   * @returns the bytes that came; null: none have come yet
   * @throws SyscallError as Socket.recv
   */
  receive(socket: Socket, most?: number): Buffer | null {
    if (!this.#keeps) {
      const bytes = socket.recv(most ?? mostAtOnce);
      this.bytes += bytes?.length ?? 0;
      return bytes;
    }
    const at = this.bytes;
    if (this.#buffer.length - at < (most ?? firstRoom / 4)) this.#grow(most ?? 0);
    const got = socket.recvInto(this.#buffer.subarray(at, at + (most ?? mostAtOnce)));
    if (got === null) return null;
    this.bytes += got;
    return this.#buffer.subarray(at, this.bytes);
  }

  /** All bytes that came and were kept. */
  get all(): Buffer {
    return this.#buffer.subarray(0, this.#keeps ? this.bytes : 0);
  }

  get unparsed(): Buffer {
    return this.all.subarray(this.parsedBytes);
  }

  #grow(room: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(firstRoom, 2 * this.#buffer.length, this.bytes + room));
    this.#buffer.copy(larger, 0, 0, this.bytes);
    this.#buffer = larger;
  }
}

/** The bytes that one connection has to send: those that wait, and the count of those that the kernel has accepted. */
class Outgoing {
  /** Bytes that wait. */
  bytes = 0;
  /** Bytes that the kernel has accepted. */
  sentBytes = 0;
  readonly #pieces: Buffer[] = [];

  add(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.bytes += bytes.length;
  }

  /** Sends until nothing waits, or the send buffer is full. @param send returns the accepted bytes; null: would block */
  flush(send: (bytes: Buffer) => number | null): void {
    while (this.#pieces.length > 0) {
      const [next] = this.#pieces as [Buffer];
      const sent = send(next);
      if (sent === null) return;
      this.bytes -= sent;
      this.sentBytes += sent;
      if (sent < next.length) this.#pieces[0] = next.subarray(sent);
      else this.#pieces.shift();
    }
  }
}
