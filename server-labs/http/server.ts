// Server. Passes every request and every upgrade through the gate to the API, the page or a session.
// An error behind the gate becomes a problem with its sentence; nothing that a caller sends can end the lab server.
import {
  type IncomingMessage,
  maxHeaderSize,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import type { Labs } from "../labs.ts";
import { jsonText } from "../lib/json-text.ts";
import { Refusal } from "../lib/refusal.ts";
import { type Challenge, challengePath, type ProblemStatement } from "../protocol.ts";
import type { ProblemLog } from "../service.ts";
import { answer, answerProblem } from "./answers.ts";
import type { Gate } from "./gate.ts";
import { problemOf } from "./problems.ts";
import { api } from "./routes.ts";
import type { Sessions } from "./sessions.ts";
import type { ServePage } from "./static.ts";

export interface ServerParts {
  gate: Gate;
  labs: Labs;
  page: ServePage;
  sessions: Sessions;
  version: string;
  /** For errors that are mistakes of the lab server. */
  log: ProblemLog;
}

/** Answers the requests of these servers. */
export function serve(servers: Server[], parts: ServerParts): void {
  for (const server of servers) {
    const onRequest = (request: IncomingMessage, response: ServerResponse) =>
      void respond(parts, request, response);
    server.on("request", onRequest);
    // curl asks "100-continue" before a large body: it gets its yes after the gate, when the body is read.
    server.on("checkContinue", onRequest);
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // Before anything else: a caller that hangs up now would be an "error" without a listener, which ends the process.
      socket.on("error", () => socket.destroy());
      upgrade(parts, request, socket, head);
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) =>
      malformed(parts, error, socket),
    );
    server.on("error", error => parts.log.write(error));
  }
}

async function respond(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.on("error", () => {}); // the caller went away; handlers get "close"
  response.on("error", () => {});
  try {
    for (const [name, value] of Object.entries(parts.gate.headers(request))) response.setHeader(name, value);
    const verdict = parts.gate.check(request, "request");
    if (!verdict.passed) throw new Refusal(verdict.statement);
    const [first] = verdict.segments;
    const { labs, gate, version } = parts;
    if (first === "api") await api({ labs, keys: gate.keys }, verdict, request, response);
    else if (verdict.path === challengePath)
      answer(response, 200, { ok: true, version, ...gate.keys.prove(challengeOf(verdict.query)) });
    else if (verdict.path === "/ws") throw new Refusal({ code: "upgrade-required" });
    else parts.page(verdict, request, response);
  } catch (error) {
    if (request.destroyed && !request.complete) return void response.destroy();
    if (!(error instanceof Refusal)) parts.log.write(error);
    const mistake = { code: "server-mistake", log: parts.log.file } as const;
    const statement = error instanceof Refusal ? error.statement : mistake;
    answerProblem(request, response, problemOf(statement));
  }
}

/** The challenge of a query; without one an empty challenge, which gets no proof. */
const challengeOf = (query: URLSearchParams): Challenge => ({
  nonce: query.get("nonce") ?? "",
  origin: query.get("origin") ?? "",
  key: query.get("key") ?? "",
});

function upgrade(parts: ServerParts, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const verdict = parts.gate.check(request, "upgrade");
  const headers = () => parts.gate.headers(request);
  if (!verdict.passed) turnAway(socket, verdict.statement, headers());
  else if (parts.sessions.full) turnAway(socket, { code: "too-many-pages" }, headers());
  else parts.sessions.accept(request, socket, head);
}

/** What Node's parser could not read gets a problem, too, if the caller can still read one. */
function malformed(parts: ServerParts, { code = "" }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === "ECONNRESET") socket.destroy();
  // Turned away already: what still comes cannot be read either. Closing now would be the reset that turnAway avoids.
  else if (socket.writableEnded) return;
  else if (!socket.writable) socket.destroy();
  else turnAway(socket, unreadable[code] ?? { code: "not-http" }, parts.gate.headers());
}

const unreadable: Record<string, ProblemStatement> = {
  HPE_HEADER_OVERFLOW: { code: "headers-too-long", limit: maxHeaderSize },
  ERR_HTTP_REQUEST_TIMEOUT: { code: "request-timed-out" },
};

/** Answers on a bare connection, where Node has no response for us, and ends it. */
function turnAway(socket: Socket, statement: ProblemStatement, headers: Record<string, string>): void {
  const problem = problemOf(statement);
  const body = `${jsonText(problem.body, 1)}\n`;
  const lines = Object.entries({
    ...headers,
    ...problem.headers,
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    Connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join("")}\r\n${body}`);
  // What still comes is read and dropped: closing over unread bytes is a reset, which would take the answer along.
  socket.resume();
  setTimeout(() => socket.destroy(), 1000).unref();
}
