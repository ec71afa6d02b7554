// Conversation. Several clients, each with its script, hold one conversation with the server under test; and what was
// not as it must be.
import type fc from "fast-check";
import { Client, type Journal, type Network, type Poller } from "../../clients.ts";
import { CheckFailure } from "../outcome.ts";
import type { Server } from "../server.ts";
import { type Broken, Hearing } from "./hearing.ts";
import type { Promises } from "./promises.ts";
import { actsOf, type ClientScript, type Parts } from "./script.ts";

/** Some clients, who speak at the same time. */
export interface Conversation {
  clients: readonly fc.Value<ClientScript>[];
  /** All that they do first happens in one moment: the server is stopped meanwhile, and then finds everything at once. */
  together: boolean;
}

/** What a conversation needs of the check in which it is held. */
export interface ConversationTools {
  server: Server;
  network: Network;
  poller: Poller;
  journal: Journal;
}

/** The server may answer client by client: a client in the accept queue is not waited for. Milliseconds. */
const roundMs = 60;
/** A server that has had so much time of its own, and from which nothing has come, sends no more. Milliseconds. */
const silentMs = 300;
/** A server that has run for so long, and from which nothing has come, sends no more. Milliseconds. */
const exhaustedMs = 1500;
const mostMs = 20_000;
/** A broken connection may be the first sign of a server that is dying. Milliseconds. */
const dyingMs = 200;

/** One client with its script. */
interface Speaker {
  client: Client | null;
  number: number;
  script: ClientScript;
  parts: Parts;
  steps: readonly Step[];
  hearing: Hearing | null;
}

type Step = "connects" | { connectsAndSends: string } | { sends: string } | "ends" | null;

/**
 * Holds one conversation.
 * @param before clients of earlier conversations, whose names are taken
 * @returns what was broken; null when all is right
 */
export async function holdConversation(
  conversation: Conversation,
  around: ConversationTools,
  promises: Promises,
  before = 0,
): Promise<Broken | null> {
  const held = new Held(conversation, around, promises, before);
  try {
    return await held.broken();
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    return { summary: error.failure.summary, client: null, ...optional(error.failure.because) };
  } finally {
    held.closeAll();
  }
}

const optional = (because: string | undefined) => (because === undefined ? {} : { because });

class Held {
  readonly #together: boolean;
  readonly #around: ConversationTools;
  readonly #promises: Promises;
  readonly #speakers: Speaker[];
  readonly #before: number;

  constructor(
    { clients, together }: Conversation,
    around: ConversationTools,
    promises: Promises,
    before: number,
  ) {
    this.#before = before;
    this.#together = together;
    this.#around = around;
    this.#promises = promises;
    this.#speakers = clients.map(({ value: script }, i) => {
      const parts = actsOf(script);
      const steps = stepsOf(script, parts, promises.oneByOne);
      return { client: null, number: i + 1, script, parts, steps, hearing: null };
    });
  }

  async broken(): Promise<Broken | null> {
    const found = await this.#acts();
    if (found === null || found.client === null) return found;
    // A connection that breaks may be the first sign of a server that is dying.
    const { poller, server } = this.#around;
    await poller.until(() => !server.alive, dyingMs);
    return found;
  }

  closeAll(): void {
    for (const { client } of this.#speakers) client?.close();
  }

  async #acts(): Promise<Broken | null> {
    const { server } = this.#around;
    if (this.#together) await server.stop();
    await this.#speak();
    if (this.#together) server.continue();
    if (this.#speakers.some(({ script }) => !script.reads)) await this.#readLate();
    return (
      (await this.#answers()) ??
      (await this.#promises.whileOpen()) ??
      (await this.#departures()) ??
      (await this.#lastWords()) ??
      (await this.#allLeave())
    );
  }

  /** Round by round: each client takes one step, and the server reads what has come. */
  async #speak(): Promise<void> {
    const rounds = Math.max(0, ...this.#speakers.map(({ steps }) => steps.length));
    for (let round = 0; round < rounds; round++) {
      for (const speaker of this.#speakers) this.#step(speaker, speaker.steps[round] ?? null);
      await this.#settle();
    }
  }

  #step(speaker: Speaker, step: Step): void {
    if (step === null) return;
    if (step === "connects") this.#connect(speaker);
    else if (step === "ends") this.#end(speaker);
    else if ("connectsAndSends" in step)
      this.#connect(speaker).send(Buffer.from(step.connectsAndSends, "latin1"));
    else if (!speaker.client!.over) speaker.client!.send(Buffer.from(step.sends, "latin1"));
  }

  #connect(speaker: Speaker): Client {
    const { network, poller, journal, server } = this.#around;
    const { script, number, parts } = speaker;
    const options = script.reads ? {} : { reads: false, receiveBuffer: 16 * 1024 };
    const client = new Client(
      { network, poller, journal },
      `client ${this.#before + number}`,
      server.port,
      options,
    );
    journal.note(`${client.name} connects`);
    speaker.client = client;
    if (script.end !== "leaves" && script.end !== "is cut off")
      speaker.hearing = new Hearing(client, parts.wants, this.#judged(script));
    return client;
  }

  #judged({ end }: ClientScript): "answers" | "answers and end" | "end" {
    if (end !== "half-closes") return "answers";
    return this.#promises.answersHalfClosed ? "answers and end" : "end";
  }

  #end({ client, script }: Speaker): void {
    if (script.end === "half-closes" && !client!.over) client!.end();
    else if (script.end === "leaves") client!.close();
    else if (script.end === "is cut off") client!.reset();
  }

  /** Waits until the server has read everything; not long, for a server may serve one client after another. */
  async #settle(): Promise<void> {
    const { poller, server } = this.#around;
    if (this.#together) {
      await poller.until(
        () => this.#open().every(({ state, unsent }) => state !== "connecting" && unsent === 0),
        roundMs,
      );
      return;
    }
    const { oneByOne } = this.#promises;
    const done = (client: Client) => {
      if (client.state === "connecting") return false;
      const row = server.socketOf(client);
      if (row === null) return true;
      return row.inode === 0 ? oneByOne : row.recvQueue === 0 && client.unsent === 0;
    };
    await poller.until(() => this.#open().every(done), oneByOne ? 15 : roundMs);
  }

  #open(): Client[] {
    return this.#speakers.flatMap(({ client }) => (client && !client.over ? [client] : []));
  }

  /** Those who have not read begin to read, when the kernel has no more room for what the server sends. */
  async #readLate(): Promise<void> {
    const { server, journal } = this.#around;
    const late = this.#speakers.filter(({ script, client }) => !script.reads && client && !client.over);
    await server.settles(
      () => late.reduce((sum, { client }) => sum + (server.socketOf(client!)?.sendQueue ?? 0), 0),
      { over: 20, within: 1000 },
    );
    for (const { client } of late) {
      journal.note(`${client!.name} begins to read`);
      client!.setReading(true);
    }
  }

  /** Waits until all answers that are due have come, or no more will. */
  async #answers(): Promise<Broken | null> {
    const { poller, server } = this.#around;
    const waiting = new Set(this.#speakers.filter(({ hearing }) => hearing !== null));
    let broken: Broken | null = null;
    const own = server.ownTime();
    let [bytes, next] = [-1, 0];
    const look = () => {
      for (const speaker of waiting) {
        const heard = speaker.hearing!.look();
        if (heard === "waiting" || (heard === "right" && this.#isUnread(speaker))) continue;
        waiting.delete(speaker);
        if (heard === "right") continue;
        broken = { ...heard, client: speaker.number };
        return true;
      }
      if (waiting.size === 0) return true;
      const now = this.#received();
      if (now !== bytes) {
        bytes = now;
        own.restart();
      }
      if (performance.now() < next) return false;
      next = performance.now() + 10;
      const { asleep, ms, ran } = own.spent;
      return asleep ? ms >= silentMs : ran >= exhaustedMs;
    };
    await poller.until(look, mostMs);
    if (broken) return broken;
    const [first] = waiting;
    if (first === undefined) return null;
    return { ...(this.#notRead(first) ?? first.hearing!.missing()), client: first.number };
  }

  /** Something of what this client has sent lies unread in the server's socket, and it should not. */
  #isUnread({ client, parts }: Speaker): boolean {
    const last = parts.wants.at(-1)?.after ?? "open";
    return last === "open" && !client!.over && (this.#around.server.socketOf(client!)?.recvQueue ?? 0) > 0;
  }

  #notRead(speaker: Speaker): Omit<Broken, "client"> | null {
    if (speaker.hearing!.look() !== "right" || !this.#isUnread(speaker)) return null;
    return { summary: `${speaker.client!.name} has spoken, and the server does not read what it has sent.` };
  }

  #received(): number {
    return this.#speakers.reduce(
      (sum, { client }) => sum + (client?.receivedBytes ?? 0) + (client?.over ? 1 : 0),
      0,
    );
  }

  /** Some close; the server lets go of them and of no other client. */
  async #departures(): Promise<Broken | null> {
    const stays = this.#speakers.some(({ parts }) => parts.lastWord !== null);
    for (const { client, parts } of this.#speakers) if (parts.lastWord === null) client?.close();
    return stays ? this.#promises.afterDepartures(this.#open().length) : null;
  }

  /** Those who have stayed speak once more. */
  async #lastWords(): Promise<Broken | null> {
    const staying = this.#speakers.filter(({ parts }) => parts.lastWord !== null);
    if (staying.length === 0) return null;
    for (const { client, parts, hearing } of staying) {
      hearing!.expect(parts.lastWord!);
      if (!client!.over) client!.send(Buffer.from(parts.lastWord!.bytes, "latin1"));
    }
    await this.#settle();
    return this.#answers();
  }

  async #allLeave(): Promise<Broken | null> {
    this.closeAll();
    return this.#promises.afterAll();
  }
}

/** @param atOnce a client speaks as it connects: where one silent client makes all others wait, it has a deadline */
function stepsOf({ late, end }: ClientScript, { pieces }: Parts, atOnce: boolean): Step[] {
  const waits: Step[] = Array.from({ length: late }, () => null);
  const ends: Step[] = end === "stays" || end === "closes" ? [] : ["ends"];
  const [first, ...others] = pieces;
  const speaks: Step[] =
    atOnce && first !== undefined
      ? [{ connectsAndSends: first }, ...others.map(sends => ({ sends }))]
      : ["connects", ...pieces.map(sends => ({ sends }))];
  return [...waits, ...speaks, ...ends];
}
