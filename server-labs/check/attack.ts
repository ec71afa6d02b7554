// One check, made once: a fresh server, its clients, what became of it; and nothing of them left afterwards.
import { AssertionError } from "node:assert";
import type { CheckState, Failure } from "../protocol.ts";
import { clock } from "./calls.ts";
import type { Check, Tools } from "./check.ts";
import { Client, type ClientOptions, patience } from "./client.ts";
import { expect } from "./expect.ts";
import { CheckFailure, StartFailure, Unobserved, type Why } from "./failure.ts";
import { count, Journal } from "./journal.ts";
import { Network } from "./network.ts";
import type { Program, Subject } from "./program.ts";
import { Server } from "./server.ts";
import { start } from "./start.ts";
import { Waiting } from "./wait.ts";

/** What became of one check. */
export interface Outcome {
  id: string;
  title: string;
  state: Extract<CheckState, "passed" | "failed" | "unobserved">;
  /** Milliseconds. */
  took: number;
  failure?: Failure;
  note?: string;
  /** The program never listened: all checks fail for this. */
  start?: boolean;
  /** The check itself is wrong: an error of its own, for whoever wrote it. */
  broken?: boolean;
}

const goesOn =
  "What it printed last, above, says why. Whatever one client does, a server goes on for all the others.";

/** Makes one check of this program. */
export async function attack(check: Check, subject: Subject): Promise<Outcome> {
  const began = performance.now();
  const outcome = (rest: Omit<Outcome, "id" | "title" | "took">): Outcome => ({
    id: check.id,
    title: check.title,
    took: Math.round(performance.now() - began),
    ...rest,
  });
  const journal = new Journal();
  const network = new Network();
  let program: Program | null = null;
  let server: Server | null = null;
  try {
    program = await start(subject, check.options.descriptors);
    journal.begin();
    const given = tools(program, network, journal);
    server = given.server;
    await check.body(given);
    return outcome({ state: "passed" });
  } catch (error) {
    return outcome(verdict(error, journal, program, server));
  } finally {
    network.close();
    await program?.kill();
  }
}

function tools(program: Program, network: Network, journal: Journal): Tools {
  const waiting = new Waiting(() => {
    network.turn();
    program.tracing?.turn();
    // Nothing that a check waits for can come from a server that is gone.
    if (program.ended) throw new CheckFailure(`The server has ended: ${program.end}.`, { because: goesOn });
  });
  let born = 0;
  const fail = (summary: string, why?: Why): never => {
    throw new CheckFailure(summary, why);
  };
  const clients = async (number: number, options?: ClientOptions): Promise<Client[]> => {
    const surroundings = { network, waiting, journal };
    const come = Array.from(
      { length: number },
      () => new Client(surroundings, `client ${++born}`, program.port, options),
    );
    await waiting.until(() => come.every(one => one.state !== "connecting"), patience);
    const open = come.filter(one => one.state === "open").length;
    const names = number === 1 ? come[0]!.name : `clients ${born - number + 1} to ${born}`;
    journal.note(`${names} connected${open < number ? `: ${open} of them` : ""}`);
    if (open < number) throw couldNotConnect(come, program.port);
    return come;
  };
  const client = async (options?: ClientOptions) => (await clients(1, options))[0]!;
  const until: Tools["until"] = (probe, withinMs) => waiting.until(probe, withinMs);
  const server = new Server(program, waiting, journal);
  return { server, client, clients, expect, fail, note: sentence => journal.note(sentence), until };
}

function couldNotConnect(clients: Client[], port: number): CheckFailure {
  const out = clients.filter(client => client.state !== "open");
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

function verdict(
  error: unknown,
  journal: Journal,
  program: Program | null,
  server: Server | null,
): Pick<Outcome, "state" | "failure" | "note" | "start" | "broken"> {
  if (error instanceof Unobserved) return { state: "unobserved", note: error.message };
  if (error instanceof StartFailure) {
    return { state: "failed", start: true, failure: { ...error.failure, evidence: error.evidence } };
  }
  const evidence = journal.lines();
  if (program?.ended) {
    const words = program.printed.tail(10);
    evidence.push(`the server ${program.end}`);
    if (words.length > 0) evidence.push("its last words:", ...words.map(line => `  ${line}`));
  }
  const stuck = program?.ended ? null : (server?.stuck(300) ?? null);
  if (stuck) {
    const seconds = ((clock() - stuck.at) / 1000).toFixed(1);
    evidence.push(`the server has been inside ${stuck.name}(${stuck.args[0]}) for ${seconds} s`);
  }
  if (error instanceof CheckFailure) {
    const failure: Failure = { ...error.failure, evidence };
    const line = failure.line ?? stuck?.line ?? (program?.ended ? lineOf(program) : undefined);
    return { state: "failed", failure: line === undefined ? failure : { ...failure, line } };
  }
  if (error instanceof AssertionError) {
    const [summary = ""] = error.message.split("\n", 1);
    return { state: "failed", failure: { summary, evidence } };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const summary = "This check is broken: the mistake is in the check, not in your program.";
  return {
    state: "failed",
    broken: true,
    failure: { summary, evidence: [...evidence, ...stack.split("\n")] },
  };
}

/** The line of server.ts that the last words name. */
function lineOf(program: Program): number | undefined {
  const match = /\.ts:(\d+):\d+/.exec(program.printed.tail(20).join("\n"));
  return match ? Number(match[1]) : undefined;
}
