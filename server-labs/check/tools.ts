// Tools. What a check's function gets: the server under test, and any number of clients.

import fc from "fast-check";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import {
  type Answer,
  Client,
  type ClientOptions,
  defaultWaitMs,
  type Journal,
  type Network,
  Poller,
} from "../clients.ts";
import { count } from "../protocol.ts";
import { BackEnd, type BackEndOptions } from "./back-end.ts";
import { comesTrue } from "./comes-true.ts";
import { type Conversations, converse, defaultSeed, type Seed } from "./conversations/converse.ts";
import { countDelayedParts } from "./delayed-parts.ts";
import { demandOpen, type Exchange, type ExchangeTools, makeExchange } from "./exchange.ts";
import { type Expect, expect } from "./expect.ts";
import { latenessMs } from "./lateness.ts";
import { CheckFailure, MachineBusy, type Why } from "./outcome.ts";
import { Server } from "./server.ts";
import type { ServerProcess } from "./server-process.ts";
import type { SiteFolder } from "./site-folder.ts";

/** What a check works with. */
export interface Tools extends ExchangeTools {
  /** The server under test: started for this check alone, and listening. */
  server: Server;
  /** Connects a client, which has sent nothing yet. */
  client(options?: ClientOptions): Promise<Client>;
  /** Connects `count` clients, in this order. */
  clients(count: number, options?: ClientOptions): Promise<Client[]>;
  /** Connects `count` clients, each when the server has accepted the one before: for checks that are not about bursts. */
  oneByOne(count: number, options?: ClientOptions): Promise<Client[]>;
  /** Opens a back end for a server that is a client itself: a listener of the checker, on a port of its own. */
  backEnd(options?: BackEndOptions): BackEnd;
  /** Sends requests and judges the answers, byte by byte; fails the check with what came instead. */
  exchange(exchange: Exchange): Promise<Answer[]>;
  /** Makes these exchanges, each on a connection of its own. `because` holds for all that have no cause of their own. */
  exchanges(because: string, exchanges: readonly Exchange[]): Promise<void>;
  /**
   * Sends these requests for small answers, one after another, from a client that acknowledges late.
   * @returns how many answers came in several segments, the last of them 25 ms or more after the request
   */
  delayedParts(requests: readonly string[]): Promise<number>;
  /** Fails the check if the server has closed this connection, which an answer should have left open: it cannot go on then. */
  demandOpen(client: Client): void;
  /**
   * Holds generated conversations with the server, and fails the check with the smallest that breaks a promise: a client
   * got something else than it must get, or the server kept what it should let go of, or did not rest.
   */
  conversations(options: Conversations): Promise<void>;
  /** A value that differs from run to run; the same for the same seed. */
  generate<T>(arbitrary: fc.Arbitrary<T>): T;
  /** The folder in which the server runs, if the check has brought `files`. */
  site: SiteFolder;
  /** `expect(value, "what is not as it should be").atMost(3, { because })` */
  expect: Expect;
  /** Fails the check with this sentence. */
  fail(summary: string, why?: Why): never;
  /**
   * Ends the check without a verdict, because the machine was too busy for what it measures. It is run again when no
   * other check runs.
   * @param what what could not be measured, as the part of a sentence: "a client that sends within a second"
   * @param cause the failure of the last try, if each try has failed
   */
  tooBusy(what: string, cause?: unknown): never;
  /**
   * Milliseconds by which this check has been late so far, because the machine was busy: its clients send and read late
   * then. `server.delayedMs` counts the same of the server.
   */
  readonly lateMs: number;
  /** Adds a sentence to the evidence, with the time. */
  note(sentence: string): void;
  /** Waits until the probe finds something, and returns it; null when `withinMs` milliseconds have passed first. */
  until<T>(probe: () => T | null | undefined | false, withinMs: number): Promise<T | null>;
  /** Waits until this is true of what the server does; in vain if it sleeps on in one call, or has had much time. */
  comesTrue(probe: () => boolean): Promise<boolean>;
}

/** The tools of one check, every client that the check connects, and every back end that it opens. */
export function makeTools(
  program: ServerProcess,
  network: Network,
  journal: Journal,
  { folder = null, seed = defaultSeed }: { folder?: SiteFolder | null; seed?: Seed } = {},
): { tools: Tools; connected: Client[]; backEnds: BackEnd[] } {
  const poller = new Poller(() => {
    network.dispatch();
    program.tracing?.turn();
    // A check waits in vain for a server that has ended.
    if (program.endedUnasked) throw endedFailure(program);
  });
  const connected: Client[] = [];
  const backEnds: BackEnd[] = [];
  const clients: Tools["clients"] = async (number, options) => {
    const made = connect({ network, poller, journal }, program.port, connected, number, options);
    await poller.until(() => made.every(one => one.state !== "connecting"), defaultWaitMs);
    // A client whose connection the server has closed at once did connect: the check decides what that means.
    const open = made.filter(one => one.port !== 0).length;
    const from = connected.length - number + 1;
    const names = number === 1 ? made[0]!.name : `clients ${from} to ${connected.length}`;
    journal.note(`${names} connected${open < number ? `: ${open} of them` : ""}`);
    if (open < number) throw notConnected(made, program.port);
    return made;
  };
  const client: Tools["client"] = async options => (await clients(1, options))[0]!;
  const server = new Server(program, poller, journal);
  latenessMs(); // it begins to count
  // Not the generator of the conversations: a value more would change all of them.
  const random = new fc.Random(xoroshiro128plus(~seed.seed));
  const tools: Tools = {
    server,
    client,
    clients,
    oneByOne: (number, options) => oneByOne(server, () => client(options), number),
    backEnd: options => {
      const made = new BackEnd({ network, poller, journal, isStuck: () => server.stuck() !== null }, options);
      backEnds.push(made);
      return made;
    },
    exchange: one => makeExchange(tools, one),
    exchanges: async (because, all) => {
      for (const one of all) await makeExchange(tools, { because, ...one });
    },
    delayedParts: requests => countDelayedParts(tools, requests),
    demandOpen,
    conversations: options => converse({ server, network, poller, journal }, seed, options),
    generate: arbitrary => arbitrary.generate(random, undefined).value,
    get site() {
      if (folder === null) throw new Error("This check brings no files, and so has no folder of its own.");
      return folder;
    },
    expect,
    fail: (summary, why) => {
      throw new CheckFailure(summary, why);
    },
    tooBusy: (what, cause) => {
      throw new MachineBusy(what, cause);
    },
    get lateMs() {
      return latenessMs();
    },
    note: sentence => journal.note(sentence),
    until: (probe, withinMs) => poller.until(probe, withinMs),
    comesTrue: probe => comesTrue({ server, poller, clients: connected }, probe),
  };
  return { tools, connected, backEnds };
}

/** Starts to connect `number` clients, and adds them to `connected`. */
function connect(
  surroundings: { network: Network; poller: Poller; journal: Journal },
  port: number,
  connected: Client[],
  number: number,
  options?: ClientOptions,
): Client[] {
  const made = Array.from(
    { length: number },
    (_, i) => new Client(surroundings, `client ${connected.length + i + 1}`, port, options),
  );
  connected.push(...made);
  return made;
}

async function oneByOne(server: Server, client: () => Promise<Client>, number: number): Promise<Client[]> {
  const before = server.sockets;
  const made: Client[] = [];
  for (let i = 1; i <= number; i++) {
    made.push(await client());
    expect(
      await server.holds(before + i),
      "The server has not accepted a client that came alone (the number of sockets that it holds).",
    ).equal(before + i);
  }
  return made;
}

function notConnected(clients: Client[], port: number): CheckFailure {
  const out = clients.filter(client => client.port === 0);
  const trouble = out.find(client => client.trouble)?.trouble;
  if (trouble === "ECONNREFUSED") {
    return new CheckFailure(`A client was refused: no socket listens on port ${port} any more.`, {
      because:
        "The server must keep its listener open as long as it runs: without a listener the kernel refuses every client.",
    });
  }
  return new CheckFailure(
    `${count(out.length, "client")} of ${clients.length} could not connect within ${defaultWaitMs / 1000} s${trouble ? ` (${trouble})` : ""}.`,
    {
      because:
        "A connection waits in the accept queue until the server accepts it. The queue has as many places as the backlog of listen(), and one more; when it is full, the kernel lets no other client connect.",
      see: "ss -tln 'sport = :{port}'   # Recv-Q: how many wait, Send-Q: how many may",
    },
  );
}

/** The failure of a server that has ended while a check waited for it. */
export function endedFailure({ end, hasWorkers }: ServerProcess): CheckFailure {
  const lastLine = hasWorkers
    ? "The last process of the server has ended. A worker is a loop: it ends at its last line, or by an error that is not caught. Its last output, above, says which."
    : "The program came to its last line. A server is a loop: when it has served one client, it turns to the next.";
  const because =
    end === "exited with 0"
      ? lastLine
      : "Its last output, above, says why. Whatever one client does, a server must go on for all other clients.";
  return new CheckFailure(`The server has ended: ${end}.`, { because });
}
