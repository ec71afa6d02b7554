// Where every request and every upgrade comes in. The gate is asked first, here and nowhere else; whatever goes
// wrong behind it ends as a sentence, and nothing that a caller sends can end the lab server.
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { answer, Refusal, refuse } from "./answers.ts";
import { api } from "./api.ts";
import type { Gate, Refused } from "./gate.ts";
import type { Labs } from "./labs.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { Sessions } from "./sessions.ts";
import type { ServePage } from "./static.ts";

export interface House {
  gate: Gate;
  labs: Labs;
  page: ServePage;
  sessions: Sessions;
  version: string;
  /** Where the unexpected is written down. */
  log: ProblemLog;
}

/** Opens the door of these servers. */
export function openDoor(servers: Server[], house: House): void {
  for (const server of servers) {
    const onRequest = (request: IncomingMessage, response: ServerResponse) =>
      void enter(house, request, response);
    server.on("request", onRequest);
    // curl asks "100-continue" before a large body: it is told yes only after the gate, when the body is read.
    server.on("checkContinue", onRequest);
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // Before anything else: a caller who hangs up now would be an error that nobody hears.
      socket.on("error", () => socket.destroy());
      upgrade(house, request, socket, head);
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) =>
      malformed(house, error, socket),
    );
    server.on("error", error => house.log.write(error));
  }
}

async function enter(house: House, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.on("error", () => {}); // the caller went away; "close" tells whoever is at work
  response.on("error", () => {});
  try {
    for (const [name, value] of Object.entries(house.gate.headers(request))) response.setHeader(name, value);
    const verdict = house.gate.check(request, "request");
    if (!verdict.passed)
      throw new Refusal(verdict.status, verdict.problem, { headers: verdict.headers ?? {} });
    const [first] = verdict.segments;
    if (first === "api") await api(house.labs, verdict, request, response);
    else if (verdict.path === "/healthz") answer(response, 200, { ok: true, version: house.version });
    else if (verdict.path === "/ws")
      throw new Refusal(426, "A WebSocket is opened here.", { headers: { Upgrade: "websocket" } });
    else house.page(verdict, request, response);
  } catch (error) {
    if (request.destroyed && !request.complete) return void response.destroy();
    if (error instanceof Refusal) return refuse(request, response, error);
    house.log.write(error);
    const sentence = `The lab server made a mistake of its own; it is written down in ${house.log.file}. Try again; your text is safe.`;
    refuse(request, response, new Refusal(500, sentence));
  }
}

function upgrade(house: House, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const verdict = house.gate.check(request, "upgrade");
  const full = "Too many pages are open at this lab server. Close some, then load this one again.";
  if (!verdict.passed) turnAway(socket, verdict, house.gate.headers(request));
  else if (house.sessions.full) turnAway(socket, { status: 503, problem: full }, house.gate.headers(request));
  else house.sessions.accept(request, socket, head);
}

/** What Node's parser could not read: said in a sentence, if there is still somebody to read it. */
function malformed(house: House, { code = "" }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === "ECONNRESET") socket.destroy();
  // Turned away already: what still comes cannot be read either. Closing now would be the reset that turnAway avoids.
  else if (socket.writableEnded) return;
  else if (!socket.writable) socket.destroy();
  else turnAway(socket, unreadable[code] ?? notHttp, house.gate.headers());
}

const notHttp: Refused = { status: 400, problem: "This is not HTTP/1.1 as the lab server reads it." };
const unreadable: Record<string, Refused> = {
  HPE_HEADER_OVERFLOW: { status: 431, problem: "The headers are longer than the 16 KiB that are read." },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, problem: "The request did not come to its end in time." },
};

/** Answers on a bare connection, where Node has no response for us, and ends it. */
function turnAway(socket: Socket, refused: Refused, headers: Record<string, string>): void {
  const body = `${JSON.stringify({ problem: refused.problem }, null, 1)}\n`;
  const lines = Object.entries({
    ...headers,
    ...refused.headers,
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    Connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\n${lines.join("")}\r\n${body}`);
  // What still comes is read and thrown away: closing over unread bytes is a reset, which would take the sentence along.
  socket.resume();
  setTimeout(() => socket.destroy(), 1000).unref();
}
