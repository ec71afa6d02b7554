// One client, as a check sees it: it says something, and waits, with patience that has an end, for what should come of
// it. Everything that it does is written into the journal.
import type { ClientOptions, ClientState } from "./client-options.ts";
import { count, quoted } from "./journal.ts";
import { patience, type Waiting, type Within } from "./wait.ts";
import { type Surroundings, Wire } from "./wire.ts";

/** An answer is waited for so many times, if more of it has come meanwhile. */
const mostWaits = 6;

export class Client extends Wire {
  readonly #waiting: Pick<Waiting, "until">;

  constructor(
    surroundings: Surroundings & { waiting: Pick<Waiting, "until"> },
    name: string,
    port: number,
    options: ClientOptions = {},
  ) {
    super(surroundings, name, port, options);
    this.#waiting = surroundings.waiting;
  }

  /** All that came so far. */
  get received(): Buffer {
    return this.incoming.all;
  }

  get receivedBytes(): number {
    return this.incoming.bytes;
  }

  /** What came and was not taken by takes(). */
  get left(): Buffer {
    return this.incoming.left;
  }

  /** Octets taken so far: where `left` begins in all that came. */
  get taken(): number {
    return this.incoming.taken;
  }

  /** Bytes given to send() that the kernel has not taken yet. */
  get unsent(): number {
    return this.outgoing.bytes;
  }

  /** Bytes that the kernel has taken so far. */
  get sentBytes(): number {
    return this.outgoing.takenBytes;
  }

  /** Sends these bytes, as fast as the kernel takes them; returns at once. */
  send(bytes: Uint8Array | string): this {
    const buffer = Buffer.from(bytes as string);
    this.journal.note(`${this.name} sends ${quoted(buffer, 160)}`);
    this.put(buffer);
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
      this.journal.note(
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
      if (this.incoming.bytes - this.incoming.taken < need && !this.over) return stop() ? "stop" : null;
      const found = reader(this.left, this.over);
      if (!("need" in found)) return found;
      need = found.need;
      return this.over || stop() ? "stop" : null;
    };
    // While octets come there is something to wait for: on a busy machine a large answer takes its time.
    let [found, before]: [T | "stop" | null, number] = [null, -1];
    for (let waits = 0; found === null && waits < mostWaits && this.incoming.bytes > before; waits++) {
      before = this.incoming.bytes;
      found = await this.#waiting.until(look, within);
    }
    if (found === null || found === "stop") return null;
    this.incoming.taken += (found as T).length;
    return found as T;
  }

  /** Waits until the server has ended this connection; "ended" or "broken", null if it does not in time. */
  async closed({ within = patience }: Within = {}): Promise<ClientState | null> {
    return this.#waiting.until(() => this.over && this.state, within);
  }

  /** Half-close: nothing more will be sent, all is still read. shutdown(2). */
  end(): void {
    this.journal.note(`${this.name} ends its half of the connection (FIN)`);
    this.shutWrite();
  }

  /** Leaves in good order. close(2); the server reads the end of the stream. */
  override close(): void {
    if (this.state !== "closed") this.journal.note(`${this.name} closes`);
    super.close();
  }

  /** Leaves as a client does whose machine is pulled from the wall: RST instead of FIN. socket(7), SO_LINGER. */
  reset(): void {
    if (this.state === "closed") return;
    this.journal.note(`${this.name} is cut off (RST)`);
    this.linger();
    super.close();
  }

  #so(): string {
    const got = this.incoming.bytes === 0 ? "nothing came" : `${count(this.incoming.bytes, "byte")} came`;
    return this.state === "open" ? got : `${got}, and the connection is ${this.state}`;
  }
}
