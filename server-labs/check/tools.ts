// What a check is given to work with: the server, and clients in any number.
import type { Tools } from "./check.ts";
import { Client } from "./client.ts";
import type { ClientOptions } from "./client-options.ts";
import { exchange } from "./exchange.ts";
import { expect } from "./expect.ts";
import { CheckFailure, type Why } from "./failure.ts";
import { count, type Journal } from "./journal.ts";
import type { Network } from "./network.ts";
import type { Program } from "./program.ts";
import { Server } from "./server.ts";
import type { Site } from "./site.ts";
import { patience, Waiting } from "./wait.ts";

/** The tools of one check, and every client that it makes. */
export function makeTools(
  program: Program,
  network: Network,
  journal: Journal,
  folder: Site | null = null,
): { tools: Tools; crowd: Client[] } {
  const waiting = new Waiting(() => {
    network.turn();
    program.tracing?.turn();
    // Nothing that a check waits for can come from a server that is gone.
    if (program.ended) throw hasEnded(program);
  });
  const crowd: Client[] = [];
  const fail = (summary: string, why?: Why): never => {
    throw new CheckFailure(summary, why);
  };
  const clients = async (number: number, options?: ClientOptions): Promise<Client[]> => {
    const surroundings = { network, waiting, journal };
    const come = Array.from(
      { length: number },
      (_, i) => new Client(surroundings, `client ${crowd.length + i + 1}`, program.port, options),
    );
    crowd.push(...come);
    await waiting.until(() => come.every(one => one.state !== "connecting"), patience);
    // One who was let in and at once sent away did connect: what it means is for the check to say.
    const open = come.filter(one => one.port !== 0).length;
    const names = number === 1 ? come[0]!.name : `clients ${crowd.length - number + 1} to ${crowd.length}`;
    journal.note(`${names} connected${open < number ? `: ${open} of them` : ""}`);
    if (open < number) throw couldNotConnect(come, program.port);
    return come;
  };
  const client = async (options?: ClientOptions) => (await clients(1, options))[0]!;
  const until: Tools["until"] = (probe, withinMs) => waiting.until(probe, withinMs);
  const server = new Server(program, waiting, journal);
  const oneByOne: Tools["oneByOne"] = async (number, options) => {
    const before = server.sockets;
    const come: Client[] = [];
    for (let i = 1; i <= number; i++) {
      come.push(await client(options));
      const held = await server.holds(before + i);
      expect(held, "The server has not accepted a client who came alone (sockets that it holds).").equal(
        before + i,
      );
    }
    return come;
  };
  const note = (sentence: string) => journal.note(sentence);
  const tools: Tools = {
    server,
    client,
    clients,
    oneByOne,
    exchange: one => exchange(tools, one),
    exchanges: async (because, all) => {
      for (const one of all) await exchange(tools, { because, ...one });
    },
    get site() {
      if (folder === null) throw new Error("This check brings no files, and so has no folder of its own.");
      return folder;
    },
    expect,
    fail,
    note,
    until,
  };
  return { tools, crowd };
}

function couldNotConnect(clients: Client[], port: number): CheckFailure {
  const out = clients.filter(client => client.port === 0);
  const trouble = out.find(client => client.trouble)?.trouble;
  if (trouble === "ECONNREFUSED") {
    return new CheckFailure(`A client was refused: nobody listens on ${port} any more.`, {
      because: "A listener that is closed turns everybody away; a server keeps it open as long as it runs.",
    });
  }
  return new CheckFailure(
    `${count(out.length, "client")} of ${clients.length} could not connect within ${patience / 1000} s${trouble ? ` (${trouble})` : ""}.`,
    {
      because:
        "Connections that wait to be accepted wait in the accept queue, which has as many places as listen() was given (and one more); when it is full the kernel lets nobody else in.",
      see: "ss -tln 'sport = :{port}'   # Recv-Q: how many wait, Send-Q: how many may",
    },
  );
}

export function hasEnded(program: Program): CheckFailure {
  const because = program.end === "exited with 0" ? comesToNoEnd : goesOn;
  return new CheckFailure(`The server has ended: ${program.end}.`, { because });
}

const comesToNoEnd =
  "It has come to the end of its program. A server is a loop: when it is done with one client, it turns to the next.";

const goesOn =
  "What it printed last, above, says why. Whatever one client does, a server goes on for all the others.";
