// Connection. The WebSocket to the lab server, opened again by itself after a break.
// Only the newest socket may speak: a late `close` of an old one once silenced its successor.
import { type Message, type Request, subprotocol } from "../../server-labs/protocol.ts";
import type { Handshake, Unproven } from "./handshake.ts";
import type { KeyRing } from "./key-ring.ts";

/** connecting: the first attempt, or the next key's · ready · away and unproven are tried again by themselves. */
export type ConnectionState = "connecting" | "ready" | Unproven;

export interface SocketLike {
  readyState: number;
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
}

/** What it needs of the world; a test gives its own. */
export interface ConnectionEnvironment {
  /** "ws://127.0.0.1:7800/ws" */
  url: string;
  open(url: string, protocols: string[]): SocketLike;
  keys: KeyRing;
  handshake: Handshake;
  /** Calls back when it is worth trying at once: online again, the page in view again. */
  onAwake(listener: () => void): void;
}

/** Milliseconds to the next attempt: first and at most. */
const retry = { first: 250, most: 5000 };

export class Connection {
  state: ConnectionState = "connecting";
  readonly #wire: ConnectionEnvironment;
  readonly #on: { state(state: ConnectionState): void; message(message: Message): void };
  #socket: SocketLike | null = null;
  #wait = retry.first;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;

  constructor(
    wire: ConnectionEnvironment,
    on: { state(state: ConnectionState): void; message(message: Message): void },
  ) {
    this.#wire = wire;
    this.#on = on;
    wire.keys.onKey(() => {
      wire.handshake.forget();
      this.#now();
    });
    wire.onAwake(() => {
      if (this.state === "away" || this.state === "unproven") this.#now();
    });
    if (wire.keys.keys.length > 0) void this.#open();
    // Another tab answers within a few milliseconds; after this no tab has a key.
    else this.#timer = setTimeout(() => this.#say("locked"), 300);
  }

  /** @returns false if it could not be sent. */
  send(request: Request): boolean {
    if (this.state !== "ready") return false;
    this.#socket?.send(JSON.stringify(request));
    return true;
  }

  #now(): void {
    this.#wait = retry.first;
    void this.#open();
  }

  /** Opens a socket to the lab server, as soon as it is proven that it is the lab server. */
  async #open(): Promise<void> {
    clearTimeout(this.#timer);
    // A key came while all was well (the printed link, opened in this very tab): what is watched is asked for again.
    if (this.state === "ready") this.#say("connecting");
    const attempt = ++this.#attempts;
    const admission = await this.#wire.handshake.admit();
    if (attempt !== this.#attempts) return; // a newer attempt is on its way
    if ("refused" in admission) this.#refused(admission.refused);
    else this.#connect(admission.bearer);
  }

  #connect(bearer: string): void {
    const socket = this.#wire.open(this.#wire.url, [subprotocol.version, subprotocol.tokenPrefix + bearer]);
    const old = this.#socket;
    this.#socket = socket;
    old?.close();
    socket.onmessage = event => {
      if (socket === this.#socket) this.#hear(event.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#closed();
    };
    socket.onerror = () => {}; // `close` follows, and says as much as a page may know
  }

  #hear(data: unknown): void {
    let message: Message;
    try {
      message = JSON.parse(String(data)) as Message;
    } catch {
      return; // not of this protocol: a message that cannot be read is no reason to lose those that can
    }
    this.#on.message(message);
    if (message.type !== "hello") return;
    // Only now: on "ready" the page asks for runs at once, and `hello` must be known by then.
    this.#wait = retry.first;
    this.#say("ready");
  }

  #closed(): void {
    this.#socket = null;
    // Another program may have the port by now.
    this.#wire.handshake.forget();
    this.#refused("away");
  }

  #refused(state: Unproven): void {
    this.#say(state);
    if (state === "locked" || state === "old-link") return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, retry.most);
  }

  #say(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.#on.state(state);
  }
}
