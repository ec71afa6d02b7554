// Client. One client of a check or a visit: it sends, and waits with a time limit for what should come back. A journal
// records everything that it does.

import { count } from "../protocol.ts";
import {
  ClientConnection,
  type ClientOptions,
  type ClientState,
  type Surroundings,
} from "./client-connection.ts";
import { quoted } from "./journal.ts";
import { defaultWaitMs, type Poller, type Within } from "./poller.ts";

/** A client waits for one answer this many times, if more bytes of the answer have come meanwhile. */
const mostWaits = 6;

export class Client extends ClientConnection {
  readonly #poller: Pick<Poller, "until">;

  constructor(
    surroundings: Surroundings & { poller: Pick<Poller, "until"> },
    name: string,
    port: number,
    options: ClientOptions = {},
  ) {
    super(surroundings, name, port, options);
    this.#poller = surroundings.poller;
    if (options.sends === undefined) return;
    this.journal.note(`${name} connects`);
    this.send(options.sends);
  }

  /** All bytes that have come. */
  get received(): Buffer {
    return this.incoming.all;
  }

  get receivedBytes(): number {
    return this.incoming.bytes;
  }

  /** The bytes that have come and that parses() has not consumed. */
  get unparsed(): Buffer {
    return this.incoming.unparsed;
  }

  /** The number of bytes that parses() has consumed: `unparsed` begins behind them. */
  get parsedBytes(): number {
    return this.incoming.parsedBytes;
  }

  /** Bytes given to send() that the kernel has not accepted yet. */
  get unsent(): number {
    return this.outgoing.bytes;
  }

  /** Bytes that the kernel has accepted. */
  get sentBytes(): number {
    return this.outgoing.sentBytes;
  }

  /** Sends these bytes, as fast as the kernel accepts them; returns at once. */
  send(bytes: Uint8Array | string): this {
    const buffer = Buffer.from(bytes as string);
    this.journal.note(`${this.name} sends ${quoted(buffer, 160)}`);
    this.enqueue(buffer);
    return this;
  }

  /** Waits until the kernel has accepted everything. @returns false when the time is over first */
  async sent({ within = defaultWaitMs }: Within = {}): Promise<boolean> {
    return (
      (await this.#poller.until(() => this.unsent === 0 || this.over, within)) !== null && this.unsent === 0
    );
  }

  /**
   * Waits until the bytes that came contain this text, or match this pattern.
   * @returns all that came, one character for each byte; null when the time is over, or no more bytes can come
   */
  async receives(part: string | RegExp, { within = defaultWaitMs }: Within = {}): Promise<string | null> {
    const found = () => {
      const text = this.received.toString("latin1");
      const matches = typeof part === "string" ? text.includes(part) : part.test(text);
      return matches ? text : this.over ? "" : null;
    };
    const text = await this.#poller.until(found, within);
    if (!text)
      this.journal.note(
        `${this.name} has not received ${typeof part === "string" ? quoted(part) : part} (${this.#soFar()})`,
      );
    return text || null;
  }

  /**
   * Waits until a parser finds a message at the beginning of `unparsed`, and consumes that message.
   * @param parser returns the message with its length in bytes, or how many bytes it needs before it can parse more
   * @param options `stop` returns true when a longer wait is useless
   * @returns null when the time is over, or no message can come any more
   */
  async parses<T extends { length: number }>(
    parser: (bytes: Buffer, over: boolean) => T | { need: number },
    { within = defaultWaitMs, stop = () => false }: Within & { stop?: () => unknown } = {},
  ): Promise<T | null> {
    let need = 0;
    const parse = () => {
      if (this.incoming.bytes - this.incoming.parsedBytes < need && !this.over) return stop() ? "stop" : null;
      const found = parser(this.unparsed, this.over);
      if (!("need" in found)) return found;
      need = found.need;
      return this.over || stop() ? "stop" : null;
    };
    // On a busy machine a large answer takes long: while bytes come, the client waits again.
    let [found, before]: [T | "stop" | null, number] = [null, -1];
    for (let waits = 0; found === null && waits < mostWaits && this.incoming.bytes > before; waits++) {
      before = this.incoming.bytes;
      found = await this.#poller.until(parse, within);
      // A busy machine may have delayed this process after its last read: what came meanwhile has the last word.
      const [read, over] = [this.incoming.bytes, this.over];
      const news = () => this.incoming.bytes > read || this.over !== over;
      if (found === "stop" && (await this.#poller.until(news, 0))) found = parse();
    }
    if (found === null || found === "stop") return null;
    this.incoming.parsedBytes += (found as T).length;
    return found as T;
  }

  /** Waits until the server has ended this connection. @returns "ended" or "broken"; null when the time is over first */
  async closed({ within = defaultWaitMs }: Within = {}): Promise<ClientState | null> {
    return this.#poller.until(() => this.over && this.state, within);
  }

  /** Half-close, shutdown(2): the client sends no more, and still reads. */
  end(): void {
    this.journal.note(`${this.name} ends its half of the connection (FIN)`);
    this.shutdownWrite();
  }

  /** Closes the connection, close(2): the server reads the end of the stream. */
  override close(): void {
    if (this.state !== "closed") this.journal.note(`${this.name} closes`);
    super.close();
  }

  /** Cuts the connection off: RST instead of FIN, as after a power cut. socket(7), SO_LINGER. */
  reset(): void {
    if (this.state === "closed") return;
    this.journal.note(`${this.name} resets the connection (RST)`);
    this.resetOnClose();
    super.close();
  }

  #soFar(): string {
    const got = this.incoming.bytes === 0 ? "nothing came" : `${count(this.incoming.bytes, "byte")} came`;
    return this.state === "open" ? got : `${got}, and the connection is ${this.state}`;
  }
}
