// The HTTP API, for the page's files and for curl. The table below is all there is: an address takes part in
// nothing but the choice of a route, and its parts are looked up in the book, never in the file system.
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { answer, Refusal, readJson } from "./answers.ts";
import { follow } from "./follow.ts";
import type { Passed } from "./gate.ts";
import { type Labs, type Run, refusedEvent } from "./labs.ts";
import {
  checkBody,
  fileBody,
  limits,
  paceBody,
  type RefusedReason,
  resetBody,
  runBody,
  stepBody,
  visitBody,
} from "./protocol.ts";
import { WorkspaceError, type WorkspaceProblem } from "./workspace.ts";

interface Call {
  labs: Labs;
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  /** What stands in the address for `:chapter/:lesson`, `:file`, `:run`, `:visit`. */
  lab: string;
  file: string;
  run: string;
  visit: string;
}

interface Route {
  method: "GET" | "PUT" | "POST" | "DELETE";
  pattern: string;
  handle: (call: Call) => void | Promise<void>;
}

/** Who asks over HTTP, as a driver: a shell comes and goes with each request, so all of them are one. */
const shell = "a shell";

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

async function listLabs({ labs, response }: Call): Promise<void> {
  answer(response, 200, { labs: await Promise.all(labs.book.labs.map(lab => labs.summary(lab))) });
}

async function showLab({ labs, lab, response }: Call): Promise<void> {
  const found = labs.lab(lab);
  await labs.workspace.ensure(found.id);
  answer(response, 200, await labs.summary(found));
}

/** The text as it is on the disk, byte for byte, so that `curl -o server.ts` is a copy of it. */
async function readFile({ labs, lab, file, request, response }: Call): Promise<void> {
  const { text, etag } = await labs.workspace.read(labs.lab(lab).id, file);
  const headers = { ETag: etag, "Cache-Control": "no-cache" };
  if (request.headers["if-none-match"] === etag) return void response.writeHead(304, headers).end();
  const bytes = Buffer.from(text);
  response.writeHead(200, {
    ...headers,
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": bytes.length,
  });
  response.end(bytes);
}

async function saveFile({ labs, lab, file, request, response }: Call): Promise<void> {
  const { id } = labs.lab(lab);
  const { text } = await readJson(request, response, fileBody);
  const { etag } = await labs.workspace.write(id, file, text, request.headers["if-match"]);
  answer(response, 200, { etag }, { ETag: etag });
}

async function resetLab({ labs, lab, request, response }: Call): Promise<void> {
  const { id, files } = labs.lab(lab);
  await readJson(request, response, resetBody);
  const { file } = files[0]!;
  const reset = await labs.workspace.reset(id, file);
  answer(response, 200, { file, ...reset }, { ETag: reset.etag });
}

async function startRun({ labs, lab, request, response }: Call): Promise<void> {
  const { id } = labs.lab(lab);
  const run = await labs.startProgram(id, await readJson(request, response, runBody), shell);
  throwIfRefused(run);
  // One that begins paused has, by then, or says what it does instead: a step that comes next is one.
  await run.pacer?.settled();
  const summary = run.summary();
  const address = `http://127.0.0.1:${summary.port}/`;
  answer(response, 201, { ...summary, address }, { Location: `/api/runs/${run.id}` });
}

/** The checker's events until it has ended: the last line is its `exited`. */
async function startCheck(call: Call): Promise<void> {
  const { id } = call.labs.lab(call.lab);
  const run = await call.labs.startCheck(id, await readJson(call.request, call.response, checkBody));
  throwIfRefused(run);
  await stream(run, 0, call);
}

function showRun({ labs, run, response }: Call): void {
  answer(response, 200, labs.run(run).summary());
}

/** Answers when the whole tree has ended and its port is free. */
async function stopRun({ labs, run, response }: Call): Promise<void> {
  const found = labs.run(run);
  await found.stop();
  await found.ended;
  answer(response, 200, found.summary());
}

/** Answers when it goes so, has stopped, or after 0.2 s with what it does instead of stopping. */
async function paceRun({ labs, run, request, response }: Call): Promise<void> {
  const pacer = labs.pacer(run);
  answer(response, 200, await pacer.change(shell, await readJson(request, response, paceBody)));
}

async function stepRun({ labs, run, request, response }: Call): Promise<void> {
  const pacer = labs.pacer(run);
  answer(response, 200, await pacer.step(shell, await readJson(request, response, stepBody)));
}

async function tellEvents(call: Call): Promise<void> {
  const run = call.labs.run(call.run);
  const from = call.query.get("from") ?? "0";
  if (!/^\d{1,15}$/.test(from))
    throw new Refusal(
      400,
      `"from" is the number of the first event that is wanted, like ?from=0, not ${JSON.stringify(from.slice(0, 40))}.`,
    );
  await stream(run, Number(from), call);
}

/** One sample of what the kernel knows of a program that runs. */
async function showKernel({ labs, run, response }: Call): Promise<void> {
  const found = labs.run(run);
  const sample = await found.kernel?.once();
  if (!sample)
    throw new Refusal(
      409,
      found.kind === "check"
        ? "That run is a check: the kernel is asked about programs only."
        : `There is no process to ask the kernel about: ${found.summary().sentence}.`,
    );
  answer(response, 200, sample, { "Cache-Control": "no-store" });
}

async function beginVisit({ labs, run, request, response }: Call): Promise<void> {
  const visits = labs.visits(run);
  answer(response, 201, await visits.begin(await readJson(request, response, visitBody)));
}

/** Answers at once; that they have left is an event of each visit. */
function endVisits({ labs, run, visit, response }: Call): void {
  answer(response, 200, { leaving: labs.visits(run).leave(visit === "" ? undefined : visit) });
}

/** One JSON object a line, as fast as the caller reads and no faster. */
async function stream(run: Run, from: number, { request, response }: Call): Promise<void> {
  response.writeHead(200, {
    "Content-Type": "application/x-ndjson; charset=utf-8",
    "Cache-Control": "no-store",
  });
  if (request.method === "HEAD") return void response.end();
  response.flushHeaders();
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  for await (const events of follow(run.log, from, limits.windowBytes, gone.signal)) {
    const more = response.write(events.map(event => `${JSON.stringify(event)}\n`).join(""));
    // Without this wait a caller who does not read would make us hold what the program prints.
    if (!more) await once(response, "drain", { signal: gone.signal }).catch(() => {});
  }
  response.end();
}

const statusOfRefused: Record<RefusedReason, number> = {
  "port-taken": 409,
  syntax: 422,
  unsupported: 422,
  "too-long": 422,
  unreadable: 422,
  "cannot-start": 500,
};

function throwIfRefused(run: Run): void {
  const refused = refusedEvent(run);
  if (!refused) return;
  const { type: _type, seq: _seq, at: _at, sentence, ...fields } = refused;
  throw new Refusal(statusOfRefused[refused.reason], sentence, { fields });
}

const statusOfProblem: Record<WorkspaceProblem, number> = {
  unknown: 404,
  missing: 404,
  required: 428,
  conflict: 412,
  unfit: 422,
  storage: 507,
};

function refusalOf({ problem, message, current }: WorkspaceError): Refusal {
  const headers: Record<string, string> = current ? { ETag: current.etag } : {};
  return new Refusal(statusOfProblem[problem], message, { fields: current ?? {}, headers });
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
