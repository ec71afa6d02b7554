// Promises. What must be true of a server at certain moments of every conversation: it holds no socket or descriptor of
// a client that has gone, and it sleeps while no client speaks.
import { count } from "../../protocol.ts";
import type { Idleness } from "../own-time.ts";
import { openDescriptors } from "../proc.ts";
import type { Server } from "../server.ts";
import type { Broken } from "./hearing.ts";

export interface PromiseOptions {
  /** "rests": a server that polls and sleeps now and then; "sleeps": one that is woken by what happens. */
  idle: "rests" | "sleeps";
  /** False: the server prints nothing while no client does anything. */
  prints?: boolean;
  /** Files that the server may keep open for later; 0 by default. */
  openFiles?: number;
  /** A client that has sent FIN gets all its answers; false by default: the server may end the connection at once. */
  answersHalfClosed?: boolean;
  /** The server serves one client after another: a client that has connected may have to wait for all before it. */
  oneByOne?: boolean;
}

/** Milliseconds of the server's own time in which it must sleep: a second and a third try are longer. */
const idleMs = [40, 120, 300] as const;
/** A socket of a client that has gone must be closed within so much of the server's own time, in milliseconds. */
const letsGoMs = 300;

export class Promises {
  readonly #server: Server;
  readonly #options: PromiseOptions;
  /** Before start() nothing is judged. */
  #judges = false;
  #sockets = 0;
  #files = 0;
  /** Moments at which idleness is measured: each costs time, and after some conversations nothing new comes. */
  #measurements = 0;
  readonly #mostMeasurements: number;

  constructor(server: Server, options: PromiseOptions, mostMeasurements: number) {
    this.#server = server;
    this.#options = options;
    this.#mostMeasurements = mostMeasurements;
  }

  get answersHalfClosed(): boolean {
    return this.#options.answersHalfClosed ?? false;
  }

  get oneByOne(): boolean {
    return this.#options.oneByOne ?? false;
  }

  /** Every later moment is compared with this one: no client is connected, and the server has served one. */
  async start(): Promise<void> {
    await this.#server.settles(() => this.#server.descriptors, { over: 50 });
    this.#sockets = this.#server.sockets;
    this.#files = this.#server.files;
    this.#judges = true;
  }

  /** All clients have their answers, and are connected. */
  whileOpen(): Promise<Broken | null> {
    return this.#idle("All clients have their answers and say nothing");
  }

  /** Some clients have closed; `staying` are connected. */
  async afterDepartures(staying: number): Promise<Broken | null> {
    if (!this.#judges) return null;
    return (
      (await this.#socketsLeft(staying, "clients have left")) ??
      (await this.#idle("Some clients have left, and the others say nothing"))
    );
  }

  /** No client is connected. */
  async afterAll(): Promise<Broken | null> {
    if (!this.#judges) return null;
    return (
      (await this.#socketsLeft(0, "all clients have left")) ??
      (await this.#filesClosed()) ??
      (await this.#idle("All clients have left"))
    );
  }

  async #socketsLeft(staying: number, when: string): Promise<Broken | null> {
    const wanted = this.#sockets + staying;
    const held = await this.#server.settles(() => this.#server.sockets, {
      over: letsGoMs,
      until: now => now === wanted,
    });
    if (held === wanted) return null;
    if (held < wanted)
      return {
        client: null,
        summary: `When ${when}, the server holds ${count(wanted - held, "socket")} fewer than clients are connected.`,
        because:
          "The end of one connection is the end of that one only. If the server has closed no other, it has not accepted all: look at accept(), and at the backlog of listen().",
      };
    return {
      client: null,
      summary: `When ${when}, the server still held ${count(held - wanted, "socket")} of clients that had gone.`,
      because:
        "A connection has an end on every way: the client closes (recv() gives an empty Buffer), or is cut off (an error). Until the server calls close() too, its descriptor is lost.",
    };
  }

  async #filesClosed(): Promise<Broken | null> {
    const { openFiles = 0 } = this.#options;
    const most = this.#files + openFiles;
    const held = await this.#server.settles(() => this.#server.files, {
      over: letsGoMs,
      until: files => files <= most,
    });
    if (held <= most) return null;
    const names = this.#server.pids.flatMap(pid => [...openDescriptors(pid).values()]);
    const example = names.filter(name => name.startsWith("/") && !name.startsWith("/dev")).at(-1);
    return {
      client: null,
      times: openFiles + 1,
      summary: `When all clients have left, the server holds ${count(held - this.#files, "descriptor")} more than before${example ? `, such as that of ${example.replace(/^.*\//, "")}` : ""}.`,
      because:
        "What the server opens for a client or in a turn, such as a file or an Epoll, it closes on every way out, also when the client leaves in the middle of its answer.",
    };
  }

  async #idle(when: string): Promise<Broken | null> {
    if (!this.#judges || this.#measurements >= this.#mostMeasurements) return null;
    this.#measurements++;
    const polls = this.#options.idle === "rests";
    let measured: Idleness | null = null;
    let printed = 0;
    // What has just happened may keep V8 busy for a while: it compiles, and collects garbage.
    for (const ms of idleMs) {
      const before = this.#server.output.bytes;
      measured = await this.#server.idle(ms);
      printed = this.#options.prints === false ? this.#server.output.bytes - before : 0;
      if (isAtRest(measured, polls, ms) && printed === 0) return null;
    }
    if (printed > 0)
      return {
        client: null,
        summary: `${when}, and the server prints ${count(printed, "byte")} in ${idleMs.at(-1)} ms.`,
        because:
          "A line for each turn hides the lines that matter, and costs time: say what happens, when it happens.",
      };
    const { busy, calls } = measured!;
    const made = calls === null ? "" : `, and makes ${count(calls, "system call")} in ${idleMs.at(-1)} ms`;
    return {
      client: null,
      summary: `${when}, and the server does not ${polls ? "rest" : "sleep"}: it uses ${Math.round(busy * 100)} % of a processor${made}.`,
      because: polls
        ? "A turn that found nothing to do ends with a rest, whatever has happened before. What decides on the rest belongs to the turn, not to the program."
        : "A server that waits for events sleeps until the next one. If it wakes again and again, something that it watches is ready all the time: a socket that may be written to, or a connection whose event it does not handle.",
    };
  }
}

/**
 * Has it slept? A server that polls may also show that by its sleeps: on a busy machine its share of a processor says how
 * slow the machine is.
 */
function isAtRest({ busy, calls, restless, sleeps, watch }: Idleness, polls: boolean, ms: number): boolean {
  if (polls) {
    const rests = watch === null ? sleeps >= ms / 60 : watch.calls.rests.length > 1;
    return restless <= 3 && (rests || busy <= 0.4);
  }
  const most = Math.max(10, ms / 10);
  return busy <= 0.2 && (calls ?? 0) <= most && sleeps <= most;
}
