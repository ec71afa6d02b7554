// One check, made once: a fresh server, its clients, what became of it; and nothing of them left afterwards.
import type { CheckState, Failure } from "../protocol.ts";
import type { Check } from "./check.ts";
import type { Client } from "./client.ts";
import { Journal } from "./journal.ts";
import { Network } from "./network.ts";
import type { Program, Subject } from "./program.ts";
import type { Server } from "./server.ts";
import { Site } from "./site.ts";
import { type StartOptions, start } from "./start.ts";
import { hasEnded, makeTools } from "./tools.ts";
import { verdict } from "./verdict.ts";
import { Waiting } from "./wait.ts";

/** A connection that breaks may be the first sign of a server that is dying: its end is known so much later. */
const dyingMs = 200;

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

/** Makes one check of this program. */
export async function attack(check: Check, subject: Subject, options: StartOptions = {}): Promise<Outcome> {
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
  let crowd: Client[] = [];
  const { files } = check.options;
  const site = files && subject.kind !== "unready" ? new Site(files) : null;
  const runnable = site && subject.kind !== "unready" ? site.around(subject) : subject;
  try {
    program = await start(runnable, { descriptors: check.options.descriptors, ...options });
    journal.begin();
    const made = makeTools(program, network, journal, site);
    server = made.tools.server;
    crowd = made.crowd;
    await check.body(made.tools);
    if (program.gone) throw await ended(program);
    return outcome({ state: "passed" });
  } catch (error) {
    const broken = crowd.some(client => client.state === "ended" || client.state === "broken");
    if (program && broken) await waiting.until(() => program?.gone, dyingMs);
    if (program?.gone) await ended(program);
    return outcome(verdict(error, journal, program, server));
  } finally {
    network.close();
    await program?.kill();
    site?.remove();
  }
}

const waiting = new Waiting(() => {});

/** Waits for the last words of a program that is over. */
async function ended(program: Program): Promise<Error> {
  await waiting.until(() => program.ended, 1000);
  return hasEnded(program);
}
