// The socket to the lab server: opens it, says how it stands, and opens it again by itself. Only the newest socket
// may speak: a late `close` of an old one once silenced its successor.
import { type Message, type Request, subprotocol } from "../../server-labs/protocol.ts";
import type { Token } from "./token.ts";

/** connecting: the first attempt, or the next token's · ready · away: not running, tried again by itself · locked: no token, or a wrong one. */
export type ConnectionState = "connecting" | "ready" | "away" | "locked";

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
export interface Wire {
  /** "ws://127.0.0.1:7800/ws" */
  url: string;
  open(url: string, protocols: string[]): SocketLike;
  /** Whether the token opens the door, or nobody is there to ask. */
  probe(token: string): Promise<"open" | "locked" | "away">;
  token: Token;
  /** Calls back when it is worth trying at once: online again, the page in view again. */
  onAwake(listener: () => void): void;
}

/** Milliseconds to the next attempt: first and at most. */
const retry = { first: 250, most: 5000 };

export class Connection {
  state: ConnectionState = "connecting";
  readonly #wire: Wire;
  readonly #on: { state(state: ConnectionState): void; message(message: Message): void };
  #socket: SocketLike | null = null;
  #wait = retry.first;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(wire: Wire, on: { state(state: ConnectionState): void; message(message: Message): void }) {
    this.#wire = wire;
    this.#on = on;
    wire.token.onToken(() => this.#now());
    wire.onAwake(() => {
      if (this.state === "away") this.#now();
    });
    if (wire.token.value) this.#open();
    // Another tab answers within a few milliseconds; after this it is fair to say that nobody has the token.
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
    this.#open();
  }

  #open(): void {
    clearTimeout(this.#timer);
    const token = this.#wire.token.value;
    if (!token) {
      this.#say("locked");
      return;
    }
    // A token came while all was well (the printed link, opened in this very tab): what is watched is asked for again.
    if (this.state === "ready") this.#say("connecting");
    const socket = this.#wire.open(this.#wire.url, [subprotocol.version, subprotocol.tokenPrefix + token]);
    const old = this.#socket;
    this.#socket = socket;
    old?.close();
    socket.onmessage = event => {
      if (socket === this.#socket) this.#hear(event.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) void this.#closed(token);
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
    // Only now: who hears "ready" asks for runs at once, and `hello` must be known by then.
    this.#wait = retry.first;
    this.#say("ready");
  }

  async #closed(token: string): Promise<void> {
    this.#socket = null;
    const turnedAway = this.state !== "ready" && (await this.#wire.probe(token)) === "locked";
    if (this.#socket) return; // a newer attempt is on its way
    if (turnedAway) {
      this.#say("locked");
      this.#wire.token.reject(token);
      return;
    }
    this.#say("away");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, retry.most);
  }

  #say(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.#on.state(state);
  }
}
