// Sessions. All pages that are connected: a bounded number, and those that are gone without a close are noticed.
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Labs } from "../labs.ts";
import { limits, subprotocol } from "../protocol.ts";
import { type Hello, Session } from "./session.ts";

export const pingMs = 20_000;
/** Unanswered pings after which a page is gone. */
const mostMissed = 2;

export class Sessions {
  readonly #labs: Labs;
  readonly #hello: Hello;
  readonly #unexpected: (error: unknown) => void;
  readonly #now: () => number;
  readonly #missed = new Map<WebSocket, number>();
  readonly #timer: NodeJS.Timeout;
  #ticked: number;
  #pages = 0;
  readonly #server = new WebSocketServer({
    noServer: true,
    // A message of 100 MiB, which is the default, would be read into memory first.
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: () => subprotocol.version,
  });

  /** @param now wall clock in milliseconds: it goes on while a laptop sleeps, which the monotonic one does not */
  constructor(labs: Labs, hello: Hello, unexpected: (error: unknown) => void, now: () => number = Date.now) {
    this.#labs = labs;
    this.#hello = hello;
    this.#unexpected = unexpected;
    this.#now = now;
    this.#ticked = now();
    this.#timer = setInterval(() => this.ping(), pingMs).unref();
    this.#server.on("wsClientError", (_error, socket) => socket.destroy());
  }

  get full(): boolean {
    return this.#missed.size >= limits.sessions;
  }

  /** An upgrade that the gate has let in. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, page => {
      this.#missed.set(page, 0);
      page.on("pong", () => this.#missed.set(page, 0));
      page.on("close", () => this.#missed.delete(page));
      new Session(page, this.#labs, this.#hello, this.#unexpected, `page ${++this.#pages}`);
    });
  }

  /** Pings every page, and ends those that missed two pings. */
  ping(): void {
    const slept = this.#now() - this.#ticked > pingMs + 10_000;
    this.#ticked = this.#now();
    for (const [page, missed] of this.#missed) {
      // After a sleep no page had the time to answer: ping again, and count from now.
      if (missed >= mostMissed && !slept) page.terminate();
      else {
        this.#missed.set(page, slept ? 1 : missed + 1);
        page.ping();
      }
    }
  }

  /** Closes every page's socket; the pages connect again by themselves when a lab server is there again. */
  close(): void {
    clearInterval(this.#timer);
    for (const page of this.#missed.keys()) page.close(1001, "The lab server stops.");
  }
}
