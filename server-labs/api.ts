// The HTTP API, for the page's files and for curl. The table below is all there is: an address takes part in
// nothing but the choice of a route, and its parts are looked up in the book, never in the file system.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "./answers.ts";
import type { Call } from "./api/call.ts";
import { listLabs, readFile, resetLab, saveFile, showLab, startCheck, startRun } from "./api/labs.ts";
import { refusalOf } from "./api/refusals.ts";
import {
  beginVisit,
  endVisits,
  paceRun,
  showKernel,
  showRun,
  stepRun,
  stopRun,
  tellEvents,
} from "./api/runs.ts";
import type { Passed } from "./gate.ts";
import type { Labs } from "./labs.ts";
import { WorkspaceError } from "./workspace.ts";

interface Route {
  method: "GET" | "PUT" | "POST" | "DELETE";
  pattern: string;
  handle: (call: Call) => void | Promise<void>;
}

/** Every address below /api. */
export const routes: readonly Route[] = [
  { method: "GET", pattern: "/api/labs", handle: listLabs },
  { method: "GET", pattern: "/api/labs/:chapter/:lesson", handle: showLab },
  { method: "GET", pattern: "/api/labs/:chapter/:lesson/files/:file", handle: readFile },
  { method: "PUT", pattern: "/api/labs/:chapter/:lesson/files/:file", handle: saveFile },
  { method: "POST", pattern: "/api/labs/:chapter/:lesson/reset", handle: resetLab },
  { method: "POST", pattern: "/api/labs/:chapter/:lesson/run", handle: startRun },
  { method: "POST", pattern: "/api/labs/:chapter/:lesson/check", handle: startCheck },
  { method: "GET", pattern: "/api/runs/:run", handle: showRun },
  { method: "DELETE", pattern: "/api/runs/:run", handle: stopRun },
  { method: "POST", pattern: "/api/runs/:run/pace", handle: paceRun },
  { method: "POST", pattern: "/api/runs/:run/step", handle: stepRun },
  { method: "GET", pattern: "/api/runs/:run/events", handle: tellEvents },
  { method: "GET", pattern: "/api/runs/:run/kernel", handle: showKernel },
  { method: "POST", pattern: "/api/runs/:run/visits", handle: beginVisit },
  { method: "DELETE", pattern: "/api/runs/:run/visits", handle: endVisits },
  { method: "DELETE", pattern: "/api/runs/:run/visits/:visit", handle: endVisits },
];

/** Answers a request below /api that the gate has let in. @throws Refusal */
export async function api(
  labs: Labs,
  passed: Passed,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const matching = routes.flatMap(route => {
    const found = match(route.pattern, passed.segments);
    return found ? [{ route, found }] : [];
  });
  if (matching.length === 0)
    throw new Refusal(404, `There is nothing at ${passed.path}. Begin at /api/labs.`);
  const method = request.method === "HEAD" ? "GET" : request.method;
  const chosen = matching.find(({ route }) => route.method === method);
  if (!chosen) {
    const allow = matching.map(({ route }) => route.method).join(", ");
    throw new Refusal(405, `${request.method} is not for ${passed.path}; use ${allow}.`, {
      headers: { Allow: allow },
    });
  }
  const { chapter = "", lesson = "", file = "", run = "", visit = "" } = chosen.found;
  try {
    const names = { lab: `${chapter}/${lesson}`, file, run, visit };
    await chosen.route.handle({ labs, request, response, query: passed.query, ...names });
  } catch (error) {
    throw error instanceof WorkspaceError ? refusalOf(error) : error;
  }
}

/** The parts of an address that stand for `:names` in a pattern, or null if it is another address. */
function match(pattern: string, segments: string[]): Record<string, string> | null {
  const parts = pattern.slice(1).split("/");
  if (parts.length !== segments.length) return null;
  const found: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    if (part.startsWith(":")) found[part.slice(1)] = segments[i]!;
    else if (part !== segments[i]) return null;
  }
  return found;
}
