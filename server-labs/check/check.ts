// workbook/check: what a lab's checks.ts imports. A check is one sentence that is true or false of a running
// server; its function is given a fresh server, and whoever it needs to find out.
import type { Client } from "./client.ts";
import type { ClientOptions } from "./client-options.ts";
import type { Exchange } from "./exchange.ts";
import type { Expect } from "./expect.ts";
import type { Why } from "./failure.ts";
import type { Answer } from "./http.ts";
import type { Server } from "./server.ts";
import type { Files, Site } from "./site.ts";

export { type Call, Calls, clock } from "./calls.ts";
export type { Client } from "./client.ts";
export type { ClientOptions, ClientState } from "./client-options.ts";
export type { Exchange, Wanted } from "./exchange.ts";
export type { Expect, Expectation } from "./expect.ts";
export type { Why } from "./failure.ts";
export type { Answer } from "./http.ts";
export type { Idle, Settling } from "./idle.ts";
export type { Output } from "./output.ts";
export type { OwnTime, Spent } from "./own-time.ts";
export type { Server } from "./server.ts";
export type { Files, Site, SiteFile } from "./site.ts";
export * as teahouse from "./teahouse.ts";
export type { Within } from "./wait.ts";
export type { Watch } from "./watch.ts";

/** What a check works with. */
export interface Tools {
  /** The server under test: started for this check alone, and listening. */
  server: Server;
  /** A client who has connected, and has said nothing yet. */
  client(options?: ClientOptions): Promise<Client>;
  /** So many of them, connected in this order. */
  clients(count: number, options?: ClientOptions): Promise<Client[]>;
  /** So many of them, each of whom is accepted before the next comes: what follows is about something else than bursts. */
  oneByOne(count: number, options?: ClientOptions): Promise<Client[]>;
  /** Sends requests and judges the answers, octet by octet; fails the check with what came instead. */
  exchange(exchange: Exchange): Promise<Answer[]>;
  /** One exchange after another, each on a connection of its own; all for the same reason, unless one has its own. */
  exchanges(because: string, exchanges: readonly Exchange[]): Promise<void>;
  /** The folder in which the server runs, if the check has brought `files`. */
  site: Site;
  /** `expect(value, "what is not as it should be").atMost(3, { because })` */
  expect: Expect;
  /** Fails the check with this sentence. */
  fail(summary: string, why?: Why): never;
  /** Writes a sentence into the evidence, as it is now. */
  note(sentence: string): void;
  /** Waits until this is so, and returns it; null if it is not within so many milliseconds. */
  until<T>(probe: () => T | null | undefined | false, withinMs: number): Promise<T | null>;
}

export interface CheckOptions {
  /** File descriptors that the server may hold from its start, at most; Node itself holds some twenty. */
  descriptors?: number;
  /** It waits for many seconds and does little: it is made beside the others, and holds none of them up. */
  patient?: boolean;
  /** What lies in the folder in which the server runs, for this check alone: `{ "html/index.html": "…" }`. */
  files?: Files;
}

export interface Check {
  id: string;
  title: string;
  options: CheckOptions;
  body: (tools: Tools) => Promise<void>;
}

const declared: Check[] = [];

/**
 * Declares a check. They are made in the order in which they are declared.
 * @param id stable: hints, mutants and prose name it
 * @param title what is true of a server that passes: "accepts a second client while the first says nothing"
 */
export function check(id: string, title: string, body: Check["body"]): void;
export function check(id: string, title: string, options: CheckOptions, body: Check["body"]): void;
export function check(
  id: string,
  title: string,
  ...rest: [Check["body"]] | [CheckOptions, Check["body"]]
): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  if (declared.some(other => other.id === id)) throw new Error(`There are two checks with the id "${id}".`);
  declared.push({ id, title, options, body });
}

/** Takes what was declared since the last time: a checks.ts has been imported in between. */
export function takeDeclared(): Check[] {
  return declared.splice(0);
}
