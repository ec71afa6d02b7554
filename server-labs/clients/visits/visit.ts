// Visit. The clients of one visit, what they did and what happened to them, and how the visit ended.
// Each kind of visit has a script (kinds.ts, many-clients.ts). A script waits in until() only, so leave() ends it anywhere.

import { clock } from "../../lib/clock.ts";
import type { Held, VisitorCommand, VisitorReport, VisitorStatement } from "../../protocol.ts";
import { POLLOUT, poll, SyscallError } from "../../runtime.ts";
import { Client } from "../client.ts";
import type { ClientOptions, Observe } from "../client-connection.ts";
import type { Network } from "../network.ts";
import { Answers } from "./answers.ts";
import type { Loop } from "./loop.ts";
import { VisitSteps } from "./steps.ts";

export type VisitOrder = Extract<VisitorCommand, { type: "visit" }>;
/** The actions of a kind of visit; resolves with its result. */
export type Script = (visit: Visit) => Promise<VisitorStatement>;

/** A client of a visit, with the answers that it has received so far. Times are those of clock(). */
export interface VisitClient {
  client: Client;
  answers: Answers;
  /** When the client sent its last byte. */
  sentAt: number;
  /** When the client received its newest byte, or the end of the stream. */
  receivedAt: number;
}

/** Ends a script wherever it waits: leave() was called. */
class Left extends Error {}

/** Ends a script whose clients could not connect. */
export class NotConnected extends Error {
  readonly statement: VisitorStatement;

  constructor(statement: VisitorStatement) {
    super(statement.code);
    this.statement = statement;
  }
}

export class Visit {
  readonly order: VisitOrder;
  readonly clients: VisitClient[] = [];
  readonly steps: VisitSteps;
  /** Whether the driver wants the program to wait. */
  readonly held: () => Held | null;
  /** What is reported when the visit leaves before its end. */
  onLeave: () => VisitorStatement = () => ({ code: "visit-left" });
  readonly #loop: Loop;
  readonly #network: Network;
  #left = false;

  constructor(
    order: VisitOrder,
    loop: Loop,
    network: Network,
    held: () => Held | null,
    send: (report: VisitorReport) => void,
  ) {
    this.order = order;
    this.#loop = loop;
    this.#network = network;
    this.held = held;
    this.steps = new VisitSteps(order.visit, send);
  }

  /** Makes the visit. Resolves when nothing of it is left. */
  async run(script: Script): Promise<void> {
    let statement: VisitorStatement;
    try {
      statement = await script(this);
    } catch (error) {
      if (error instanceof Left) statement = this.onLeave();
      else if (error instanceof NotConnected) statement = error.statement;
      else if (error instanceof SyscallError)
        statement = { code: "visit-failed", why: error.message.slice(0, 300) };
      else throw error;
    }
    this.#closeAll();
    this.steps.report({ who: "", what: "done", statement });
  }

  /** Ends the visit, wherever its script waits. */
  leave(): void {
    this.#left = true;
  }

  /**
   * Makes a client, which starts to connect.
   * @param reports its own steps are reported one by one
   * @throws SyscallError when this machine has no more descriptors for it
   */
  connect(name: string, options: ClientOptions = {}, reports = true): VisitClient {
    const visitClient: VisitClient = {
      client: undefined as never,
      answers: new Answers(),
      sentAt: 0,
      receivedAt: 0,
    };
    const observe: Observe = (client, what, came, began) => {
      visitClient.client = client as Client;
      this.#observe(visitClient, what, came, reports, began);
    };
    const { host, port } = this.order;
    const surroundings = { network: this.#network, poller: this.#loop, journal: { note() {} }, observe };
    visitClient.client = new Client(surroundings, name, port, { host, keeps: false, ...options });
    this.clients.push(visitClient);
    // On this machine the handshake is over when connect(2) returns: noticed at once, it is reported before the
    // server's accept4, as it happened.
    const { client } = visitClient;
    if (reports && client.state === "connecting" && poll([{ fd: client.fd, events: POLLOUT }], 0).length > 0)
      client.onReady({ readable: false, writable: true });
    return visitClient;
  }

  /** Waits like Loop.until, for ever by default. @throws Left when the visit is to leave */
  async until<T>(
    probe: () => T | null | undefined | false,
    withinMs = Number.POSITIVE_INFINITY,
    polls = false,
  ): Promise<T | null> {
    const found = await this.#loop.until(() => this.#left || probe(), withinMs, polls);
    if (this.#left) throw new Left();
    return found as T | null;
  }

  #closeAll(): void {
    const open = this.clients.filter(({ client }) => client.state !== "closed" && !client.over);
    for (const { client } of this.clients) client.close();
    const [only] = open;
    if (open.length === 1)
      this.steps.report({ ...whoOf(only!), what: "closed", statement: { code: "client-closes" } });
    else if (open.length > 1) {
      const statement = { code: "crowd-closes", clients: open.length } as const;
      this.steps.report({ who: `${open.length} clients`, what: "closed", statement });
    }
  }

  #observe(
    visitClient: VisitClient,
    what: Parameters<Observe>[1],
    came: Buffer | undefined,
    reports: boolean,
    at = clock(),
  ): void {
    if (what === "sent") visitClient.sentAt = at;
    else visitClient.receivedAt = at;
    if (what === "got") visitClient.answers.add(came!);
    if (what === "ended" || what === "broken") visitClient.answers.end();
    if (!reports) return;
    const who = whoOf(visitClient);
    if (what === "connected")
      this.steps.report({ ...who, what, statement: { code: "client-connected" } }, at);
    else if (what === "ended") this.steps.report({ ...who, what, statement: { code: "server-closed" } }, at);
    else if (what === "broken") this.steps.report({ ...who, ...breakOf(visitClient.client) }, at);
    else this.steps.reportPiece({ ...who, what, bytes: came!.length, text: this.steps.text(came!) }, at);
  }
}

/** A client as a step names it. */
export function whoOf({ client }: VisitClient): { who: string; port?: number } {
  return { who: client.name, ...(client.port > 0 ? { port: client.port } : {}) };
}

function breakOf({ trouble }: Client): { what: "refused" | "reset"; statement: VisitorStatement } {
  if (trouble === "ECONNREFUSED") return { what: "refused", statement: { code: "client-refused" } };
  const errno = trouble || "unknown";
  const cut = errno === "ECONNRESET" || errno === "EPIPE";
  return { what: "reset", statement: { code: cut ? "server-reset" : "client-broken", errno } };
}
