// workbook/check. What a lab's checks.ts imports: check() declares one sentence that is true or false of a running
// server, and a function that tries it on a fresh server with real clients.

// fast-check's generators: a check describes with them what clients may do.
export { default as fc } from "fast-check";
export type { Answer, Client, ClientOptions, ClientState, Within } from "../clients.ts";
export { clock } from "../lib/clock.ts";
export type { CallRecord } from "../protocol.ts";
export type { BackEnd, BackEndConnection, BackEndOptions } from "./back-end.ts";
export type { CallWatch } from "./call-watch.ts";
export { Calls } from "./calls.ts";
export type { Conversations } from "./conversations/converse.ts";
export * as grammar from "./conversations/grammar.ts";
export type { ClientMessage } from "./conversations/script.ts";
export { type CheckOptions, check } from "./declarations.ts";
export * as echoes from "./echoes.ts";
export type { Exchange, WantedAnswer } from "./exchange.ts";
export type { Expect, Expectation } from "./expect.ts";
export * as hubClients from "./hub-clients.ts";
export * as lastAnswer from "./last-answer.ts";
export * as leavingClients from "./leaving-clients.ts";
export * as messageCost from "./message-cost.ts";
export type { BrokenPromise, Why } from "./outcome.ts";
export type { Idleness, OwnTime, SettleOptions, SpentTime } from "./own-time.ts";
export type { Server } from "./server.ts";
export type { ServerOutput } from "./server-output.ts";
export * as silentClients from "./silent-clients.ts";
export type { SiteFile, SiteFiles, SiteFolder } from "./site-folder.ts";
export * as staticSite from "./static-site.ts";
export type { Tools } from "./tools.ts";
