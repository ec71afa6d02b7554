// One visit: its clients, what they did and what happened to them, and its end. What a kind of visit does is a script
// (kinds.ts, crowd.ts) that waits only here, and so ends wherever it is when it is to leave.
import type { Held, VisitorCommand, VisitorSays } from "../../protocol.ts";
import { POLLOUT, poll, SyscallError } from "../../runtime/net.ts";
import { clock } from "../calls.ts";
import { Client } from "../client.ts";
import type { ClientOptions } from "../client-options.ts";
import type { Network } from "../network.ts";
import type { Observe } from "../wire.ts";
import { Answers } from "./answers.ts";
import type { Loop } from "./loop.ts";
import { type Step, Steps } from "./steps.ts";
import { octets } from "./words.ts";

export type Order = Extract<VisitorCommand, { type: "visit" }>;
export type Script = (visit: Visit) => Promise<string>;

/** A client with what it has got so far. Times are those of clock(). */
export interface Guest {
  client: Client;
  answers: Answers;
  /** The last octet of what was sent. */
  sentAt: number;
  /** The newest octet that came, or the end. */
  heardAt: number;
}

/** It is to leave. */
class Left extends Error {}
/** There was nobody to visit: the sentence has been said. */
export class NotIn extends Error {}

export class Visit {
  readonly order: Order;
  readonly guests: Guest[] = [];
  /** What is told of it. */
  readonly steps: Steps;
  /** The program is paused or slow because somebody wants it so. */
  held: () => Held | null;
  /** How it stands, for when it leaves before its end. */
  stands: () => string = () => "";
  readonly #loop: Loop;
  readonly #network: Network;
  #left = false;

  constructor(
    order: Order,
    loop: Loop,
    network: Network,
    held: () => Held | null,
    say: (step: VisitorSays) => void,
  ) {
    this.order = order;
    this.#loop = loop;
    this.#network = network;
    this.held = held;
    this.steps = new Steps(order.visit, say);
  }

  /** Makes the visit. Resolves when nothing of it is left. */
  async run(script: Script): Promise<void> {
    let sentence: string;
    try {
      sentence = await script(this);
    } catch (error) {
      if (error instanceof Left) {
        const so = this.stands();
        sentence = `left${so ? `; ${so}` : ""}`;
      } else if (error instanceof NotIn) sentence = error.message;
      else if (error instanceof SyscallError) sentence = `could not go on: ${error.message}`;
      else throw error;
    }
    const open = this.guests.filter(({ client }) => client.state !== "closed" && !client.over);
    for (const { client } of this.guests) client.close();
    if (open.length > 0) {
      const [only] = open;
      const [who, says] =
        open.length === 1
          ? [only!.client.name, "the client closes its end (FIN)"]
          : [`${open.length} clients`, `${open.length} clients close their ends (FIN)`];
      this.steps.tell({ who, what: "closed", sentence: says, ...(open.length === 1 ? portOf(only!) : {}) });
    }
    this.steps.tell({ who: "", what: "done", sentence });
  }

  /** It is to leave, wherever it is. */
  leave(): void {
    this.#left = true;
  }

  /**
   * Makes a client, which begins to connect.
   * @param tells its own steps are told one by one
   * @throws NotIn when this machine has no more descriptors for it
   */
  guest(name: string, options: ClientOptions = {}, tells = true): Guest {
    const guest: Guest = { client: undefined as never, answers: new Answers(), sentAt: 0, heardAt: 0 };
    const observe: Observe = (client, what, came, began) => {
      guest.client = client as Client;
      this.#observe(guest, what, came, tells, began);
    };
    const { host, port } = this.order;
    const surroundings = { network: this.#network, waiting: this.#loop, journal: { note() {} }, observe };
    guest.client = new Client(surroundings, name, port, { host, keeps: false, ...options });
    this.guests.push(guest);
    // On this machine the handshake is over when connect(2) returns: noticed at once, it is told before the server's
    // accept4, as it happened.
    const { client } = guest;
    if (tells && client.state === "connecting" && poll([{ fd: client.fd, events: POLLOUT }], 0).length > 0)
      client.move({ readable: false, writable: true });
    return guest;
  }

  /** Waits like Loop.until, for ever unless told otherwise. @throws Left when it is to leave */
  async until<T>(
    probe: () => T | null | undefined | false,
    withinMs = Number.POSITIVE_INFINITY,
    polls = false,
  ): Promise<T | null> {
    const found = await this.#loop.until(() => this.#left || probe(), withinMs, polls);
    if (this.#left) throw new Left();
    return found as T | null;
  }

  #observe(
    guest: Guest,
    what: Parameters<Observe>[1],
    came: Buffer | undefined,
    tells: boolean,
    at = clock(),
  ): void {
    const { client } = guest;
    if (what === "sent") guest.sentAt = at;
    else guest.heardAt = at;
    if (what === "got") guest.answers.take(came!);
    if (what === "ended" || what === "broken") guest.answers.end();
    if (!tells) return;
    const step = { who: client.name, ...portOf(guest) };
    if (what === "connected") this.steps.tell({ ...step, what, sentence: "connected" }, at);
    else if (what === "ended")
      this.steps.tell({ ...step, what, sentence: "the server has closed the connection (FIN)" }, at);
    else if (what === "broken") this.steps.tell({ ...step, ...brokenWords(client) }, at);
    else
      this.steps.tell(
        { ...step, what, bytes: came!.length, text: this.steps.text(came!), sentence: octets(came!.length) },
        at,
      );
  }
}

function portOf({ client }: Guest): { port?: number } {
  return client.port > 0 ? { port: client.port } : {};
}

function brokenWords(client: Client): Pick<Step, "what" | "sentence"> {
  if (client.trouble === "ECONNREFUSED")
    return { what: "refused", sentence: "refused: nobody listens there (ECONNREFUSED)" };
  const gone = client.trouble === "ECONNRESET" || client.trouble === "EPIPE";
  return {
    what: "reset",
    sentence: gone
      ? `the server has cut the connection off (RST: ${client.trouble})`
      : `the connection is broken (${client.trouble})`,
  };
}
