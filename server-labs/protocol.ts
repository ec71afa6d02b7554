// Contract. The types that the page, curl and the lab server share: one ordered list of events for each run, and the
// requests of a person. Each declaration has a reader. No DOM, no Node: both sides compile this file, and import the
// rooms behind it only through it.
export * from "./protocol/answers.ts";
export * from "./protocol/calls.ts";
export * from "./protocol/endpoint.ts";
export * from "./protocol/events.ts";
export * from "./protocol/kernel.ts";
export * from "./protocol/limits.ts";
export * from "./protocol/lines.ts";
export * from "./protocol/nearest.ts";
export * from "./protocol/notation.ts";
export * from "./protocol/pace.ts";
export * from "./protocol/problems.ts";
export * from "./protocol/proof.ts";
export * from "./protocol/readable-bytes.ts";
export * from "./protocol/requests.ts";
export * from "./protocol/scoreboard.ts";
export * from "./protocol/sentences/format.ts";
export type { DoingStatement } from "./protocol/sentences/kernel.ts";
export type { CallText, InsteadStatement, PausedStatement } from "./protocol/sentences/pace.ts";
export type { NoSandboxReason } from "./protocol/sentences/process.ts";
export type {
  CheckCounts,
  Construct,
  EndingStatement,
  EndStatement,
  ExceededStatement,
  RefusalStatement,
  StateStatement,
  UntracedStatement,
} from "./protocol/sentences/runs.ts";
export type { ParkStatement, TaskWarningStatement } from "./protocol/sentences/tasks.ts";
export * from "./protocol/sentences.ts";
export * from "./protocol/shell-command.ts";
export * from "./protocol/tasks.ts";
export * from "./protocol/visible.ts";
export * from "./protocol/visits.ts";
export * from "./protocol/with-sentences.ts";

export const subprotocol = { version: "lab.v1", tokenPrefix: "token." } as const;
