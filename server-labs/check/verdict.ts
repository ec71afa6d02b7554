// What an error that ended a check means: for the student, for whoever wrote the check, or that nothing could
// be seen.
import { AssertionError } from "node:assert";
import { inspect } from "node:util";
import type { Failure } from "../protocol.ts";
import type { Outcome } from "./attack.ts";
import { type Call, clock } from "./calls.ts";
import { CheckFailure, StartFailure, Unobserved } from "./failure.ts";
import type { Journal } from "./journal.ts";
import type { Program } from "./program.ts";
import type { Server } from "./server.ts";

/** In a call for so long, the server waits there, and does not just pass through. */
const waitsMs = 300;

export function verdict(
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
  const stuck = program?.ended ? null : (server?.stuck(waitsMs) ?? null);
  if (stuck) {
    const seconds = ((clock() - stuck.at) / 1000).toFixed(1);
    evidence.push(`the server has been inside ${stuck.name}(${stuck.args[0]}) for ${seconds} s`);
  }
  if (error instanceof CheckFailure) {
    const failure: Failure = { ...error.failure, evidence };
    const line = failure.line ?? blameOf(stuck) ?? (program?.ended ? lineOf(program) : undefined);
    return { state: "failed", failure: line === undefined ? failure : { ...failure, line } };
  }
  if (error instanceof AssertionError) {
    const [summary = ""] = error.message.split("\n", 1);
    const compared = error.operator && !["fail", "==", "throws"].includes(error.operator);
    const values = compared ? { expected: inspect(error.expected), actual: inspect(error.actual) } : {};
    return { state: "failed", failure: { summary, evidence, ...values } };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const summary = "This check is broken: the mistake is in the check, not in your program.";
  return {
    state: "failed",
    broken: true,
    failure: { summary, evidence: [...evidence, ...stack.split("\n")] },
  };
}

/** The line of a call that should not wait; to wait in poll or epoll_wait is what a server is for. */
function blameOf(stuck: Call | null): number | undefined {
  if (!stuck?.line || stuck.name === "poll" || stuck.name === "epoll_wait") return undefined;
  return stuck.line;
}

/** The line of server.ts that the last words name. */
function lineOf(program: Program): number | undefined {
  const match = /\.ts:(\d+):\d+/.exec(program.printed.tail(20).join("\n"));
  return match ? Number(match[1]) : undefined;
}
