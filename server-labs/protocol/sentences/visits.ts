// Visit sentences. English: what happened to a client that a student sent, or why the lab server sent no client.
import { count, duration } from "./format.ts";

const bytes = (n: number) => count(n, "byte");
const clients = (n: number) => count(n, "client");
/** (1, "waits", "wait") → "1 waits" */
const verb = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

/** The driver makes the program wait: meanwhile its clients wait without a time limit. */
export type Held = "paused" | "slow";
const heldWords: Record<Held, string> = { paused: "paused", slow: "in slow motion" };

/** What one client got, and the state of its connection. */
export interface ClientOutcome {
  /** Answers that it waits for. */
  wanted: number;
  /** The status of each whole answer, in the order in which they came. */
  statuses: number[];
  /** Bytes that came, in all. */
  bytes: number;
  /** Milliseconds from the last byte that it sent to the newest that came; null when that says nothing. */
  afterMs: number | null;
  /** The newest byte came before the client had sent all of its request. */
  early: boolean;
  connection: "open" | "ended" | "broken";
  /** Why the connection is broken: "ECONNRESET". */
  errno: string | null;
  /** The bytes are not an HTTP answer: the part that the client expected, and the bytes that came in its place. */
  fault: { expected: string; received: string } | null;
  /** Of the answer that is not whole yet: "3 of the 12 bytes of the body that its head promises". */
  has: string;
}

/** The answers to many clients that each sent one request. Times are milliseconds after all had sent. */
export interface ManyClientsOutcome {
  clients: number;
  answered: number;
  fromMs: number;
  toMs: number;
  waiting: number;
  closed: number;
  reset: number;
  /** Clients that got something that is not an HTTP answer. */
  odd: number;
  held: Held | null;
}

export interface VisitAim {
  /** The first line of the request, without its version: "GET /". */
  line: string;
  /** Bytes of the request. */
  bytes: number;
  pieces: number;
  everyMs: number;
  count: number;
  /** Left out where the port is known. */
  port?: number | undefined;
}

const aims = {
  get: ({ line }: VisitAim) => line,
  silent: () => "a client that says nothing",
  split: ({ line, pieces }: VisitAim) => `${line} in ${pieces} pieces`,
  drip: ({ line, everyMs }: VisitAim) => `${line}, one byte every ${everyMs} ms`,
  pipeline: ({ line, count }: VisitAim) => `${count} requests at once on one connection: ${line}`,
  "slow-reader": ({ line }: VisitAim) => `${line}, and hardly reads`,
  "half-close": ({ line }: VisitAim) => `${line}, then the end of its half`,
  reset: ({ line }: VisitAim) => `${line}, then RST`,
  burst: ({ line, count }: VisitAim) => `${count} clients at once: ${line}`,
  idle: ({ count }: VisitAim) => `${count} connections that say nothing`,
  raw: ({ bytes: n }: VisitAim) => `${bytes(n)}, as they were typed`,
};

/** Why no client was sent. */
export const refusals = {
  "visit-field-unknown": ({ kind, field }: { kind: string; field: string }) =>
    `A visit of the kind "${kind}" has no "${field}".`,
  "visit-field-of-kind": ({ kind, field }: { kind: string; field: string }) =>
    `Only a visit of the kind "${kind}" has a field "${field}".`,
  "visit-text-missing": () => `A raw visit needs a "text": the bytes that it sends.`,
  "visit-text-unreadable": ({ line, column, letter }: { line: number; column: number; letter: string }) =>
    `This cannot be sent, at line ${line}, column ${column}: ${escapeHelp(letter)}.`,
  "visit-too-long": ({ limit }: { limit: number }) => `A visit sends at most ${limit} bytes.`,
  "visit-cut-outside": ({ bytes: n, cut }: { bytes: number; cut: number }) =>
    `The request has ${bytes(n)}: it cannot be cut before byte ${cut}, only before 1 to ${n - 1}.`,
  "unknown-visit": ({ visit }: { visit: string }) => `This run has had no visit "${visit}".`,
  "run-is-ending": () => "The run is ending: no client can visit it any more.",
  "too-many-visits": ({ limit }: { limit: number }) =>
    `${limit} visits are under way: let some of them leave first.`,
  "too-many-clients": ({ limit }: { limit: number }) =>
    `All visits together have at most ${limit} clients: let some of them leave first.`,
  "run-has-ended": () => "This run has ended: press Run, then send clients.",
  "not-listening-yet": () =>
    "The program does not listen yet: no client can connect before it calls listen().",
  "listens-out-of-reach": ({ host }: { host: string }) =>
    `The program listens on ${host} only; clients of the workbook connect to 127.0.0.1 or ::1.`,
  "listens-no-more": ({ port }: { port: number }) =>
    `Nothing of this run listens on ${port} any more: no client can connect.`,
};

/** What a client did, what happened to it, and what it waits for. */
const steps = {
  "visit-begins": ({ kind, port, ...aim }: VisitAim & { kind: keyof typeof aims }) =>
    `${aims[kind](aim).slice(0, 300)}${port === undefined ? "" : ` → port ${port}`}`,
  "client-connected": () => "connected",
  "crowd-connected": ({ connected, clients: all, ms, waiting }: ManyClientsArrival) =>
    `${connected === all ? "" : `${connected} of `}${clients(all)} connected after ${duration(ms)}${
      waiting > 0 ? `; ${verb(waiting, "is", "are")} not let in: the accept queue is full` : ""
    }`,
  "client-sent": (moved: Moved) => `sent ${movedWords(moved)}`,
  "client-got": (moved: Moved) => `got ${movedWords(moved)}`,
  "crowd-sent": ({ clients: n }: { clients: number }) => `${clients(n)} sent their requests`,
  "crowd-answers": ({ answers }: { answers: number }) => `${count(answers, "answer")}, in this order`,
  "client-answered": ({ status, ms, bytes: n }: { status: number; ms: number; bytes: number }) =>
    `answered ${status} after ${duration(ms)}, ${bytes(n)}`,
  "server-closed": () => "the server has closed the connection (FIN)",
  "server-reset": ({ errno }: { errno: string }) => `the server has cut the connection off (RST: ${errno})`,
  "client-refused": () => "refused: no socket listens there (ECONNREFUSED)",
  "crowd-refused": ({ clients: n }: { clients: number }) =>
    `${verb(n, "client was", "clients were")} refused: no socket listens there (ECONNREFUSED)`,
  "client-broken": ({ errno }: { errno: string }) => `the connection is broken (${errno})`,
  "client-closes": () => "the client closes its end (FIN)",
  "crowd-closes": ({ clients: n }: { clients: number }) => `${clients(n)} close their ends (FIN)`,
  "client-half-closes": () => "the client ends its half (FIN), and reads on",
  "client-resets": () => "the client cuts the connection off (RST)",

  // What a client waits for
  "client-not-let-in": ({ ms }: { ms?: number | undefined }) =>
    `${ms === undefined ? "no connection yet" : `${duration(ms)} without a connection`}: the kernel lets no client in while the accept queue is full`,
  "client-silent": () => "connected, and says nothing",
  "client-sends-nothing": () => "connected, and nothing is sent",
  "client-reads-slowly": ({ bytes: n, everyMs }: { bytes: number; everyMs: number }) =>
    `takes ${bytes(n)} every ${duration(everyMs)}, and has room for little more`,
  "client-waits": ({ outcome, ms, held }: WaitingClient) =>
    `${outcome.statuses.length === 0 && outcome.bytes === 0 ? "no answer" : clientOutcome(outcome)}${
      ms === undefined ? "" : ` for ${duration(ms)}`
    }${held === null ? ":" : `; the program is ${heldWords[held]}, and`} the client waits`,
  "client-stays": ({ outcome }: { outcome: ClientOutcome }) =>
    `${clientOutcome(outcome)}; the connection stays open`,
  "piece-not-read": ({ piece, pieces, ms, held }: UnreadPiece) =>
    held === null
      ? `the server has not read piece ${piece} of ${pieces} for ${duration(ms)}: the next one follows all the same`
      : `the program is ${heldWords[held]}: it has not read piece ${piece} of ${pieces}, and the next one waits`,
  "crowd-waits": ({ outcome }: { outcome: ManyClientsOutcome }) => manyClientsOutcome(outcome),
  "crowd-idle": ({ open, closed, waiting }: { open: number; closed: number; waiting: number }) =>
    `${verb(open, "connection is", "connections are")} open, and no client says anything${
      closed > 0 ? `; the server closed ${closed}` : ""
    }${waiting > 0 ? `; ${verb(waiting, "is", "are")} not let in yet` : ""}`,

  // How a visit ended
  "visit-under-way": () => "is under way",
  "visit-result": ({ outcome }: { outcome: ClientOutcome }) => clientOutcome(outcome),
  "visit-crowd-result": ({ outcome }: { outcome: ManyClientsOutcome }) => manyClientsOutcome(outcome),
  "visit-reset-sent": () => "sent its request, and an RST behind it",
  "visit-crowd-closed": ({ clients: n }: { clients: number }) =>
    `the server has closed ${n === 1 ? "the connection" : `all ${n} connections`}`,
  "visit-not-connected": ({ errno }: { errno: string }) => `not connected: ${errno}`,
  "visit-too-few-clients": ({
    made,
    clients: all,
    errno,
  }: {
    made: number;
    clients: number;
    errno: string;
  }) => `only ${clients(made)} of ${all} could be made: ${errno}`,
  "visit-failed": ({ why }: { why: string }) => `could not go on: ${why}`,
  "visit-left": () => "left",
  "visit-left-silent": ({ ms }: { ms: number }) => `left; it was silent for ${duration(ms)}`,
  "visit-left-reading": ({ bytes: n, ms }: { bytes: number; ms: number }) =>
    `left; it had taken ${bytes(n)} in ${duration(ms)}`,
  "visit-left-result": ({ outcome }: { outcome: ClientOutcome }) => `left; ${clientOutcome(outcome)}`,
  "visit-left-crowd": ({ outcome }: { outcome: ManyClientsOutcome }) =>
    `left; ${manyClientsOutcome(outcome, true)}`,
  "visit-left-idle": ({ open, clients: all }: { open: number; clients: number }) =>
    `left; ${open} of ${all} connections were open`,
  "visit-ended-with-run": () => "ended with the run",
  "visitor-ended": (end: VisitorEnd) =>
    `its clients are gone: the visitor ${visitorEnd(end)}; the next visit starts another`,
};

export const en = { ...refusals, ...steps };
/** A code of a step of a visit. */
export type VisitCode = keyof typeof steps;

/** The number of clients that connected, of all that tried; the others wait. */
type ManyClientsArrival = {
  connected: number;
  clients: number;
  ms: number;
  waiting: number;
};

/** Bytes that one client sent or got, and in how many pieces. */
type Moved = {
  bytes: number;
  pieces: number;
};

/** A client without its whole answer. `ms`: how long; left out where that is said of the present. */
type WaitingClient = { outcome: ClientOutcome; ms?: number | undefined; held: Held | null };

/** A piece of a request, counted from 1, that the server has not read after `ms`. */
type UnreadPiece = {
  piece: number;
  pieces: number;
  ms: number;
  held: Held | null;
};

/** How the process ended in which the clients live. */
export interface VisitorEnd {
  /** Why it did not start. */
  error?: string;
  signal?: string;
  status?: number;
  /** The line of its standard error that names an error. */
  lastWords?: string;
  /** Lines that it wrote and that were not steps of a visit. */
  garbled?: number;
}

function movedWords({ bytes: n, pieces }: Moved): string {
  return pieces === 1 ? bytes(n) : `${bytes(n)}, in ${pieces} pieces until now`;
}

function clientOutcome({ wanted, statuses, bytes: n, fault, has, ...rest }: ClientOutcome): string {
  const { connection, errno, afterMs, early } = rest;
  const all = bytes(n);
  const end =
    connection === "ended"
      ? "the server has closed the connection"
      : connection === "broken"
        ? `the connection is broken (${errno})`
        : "";
  const behind = end === "" ? "" : `; ${end}`;
  const after = early
    ? " before it had asked to the end"
    : afterMs === null
      ? ""
      : ` after ${duration(afterMs)}`;
  if (wanted > 1 && statuses.length > 0) {
    const missing = statuses.length < wanted ? behind : "";
    const different = [...new Set(statuses)].join(", ");
    return `${statuses.length} of ${wanted} answered (${different})${after}, ${all}${missing}`;
  }
  if (statuses.length > 1)
    return `${statuses.length} answers to one request (${statuses.slice(0, 5).join(", ")}), ${all}`;
  if (statuses.length > 0) return `answered ${statuses[0]}${after}, ${all}`;
  if (n === 0) return end === "" ? "nothing came" : `nothing came, and ${end}`;
  if (fault !== null)
    return `${all} came that are no HTTP answer: ${fault.expected} was expected, and ${fault.received} came${behind}`;
  return `${all} came, but not a whole answer: ${has}${behind}`;
}

/** @param left the clients have left: none of them waits any more */
function manyClientsOutcome(
  { clients: all, answered, fromMs, toMs, ...rest }: ManyClientsOutcome,
  left = false,
): string {
  const { waiting, closed, reset, odd, held } = rest;
  const [from, to] = [duration(fromMs), duration(toMs)];
  const range = answered === 0 ? "" : from === to ? ` after ${from}` : `, after ${from} to ${to}`;
  return [
    `${answered} of ${all} ${answered === 1 ? "was" : "were"} answered${range}`,
    ...(waiting > 0
      ? [left ? `${waiting} had no answer yet` : verb(waiting, "still waits", "still wait")]
      : []),
    ...(closed > 0 ? [`${verb(closed, "was", "were")} closed without an answer`] : []),
    ...(reset > 0 ? [`${verb(reset, "was", "were")} cut off (RST)`] : []),
    ...(odd > 0 ? [`${odd} got something that is no HTTP answer`] : []),
    ...(waiting > 0 && held !== null && !left ? [`the program is ${heldWords[held]}`] : []),
  ].join("; ");
}

function visitorEnd({ error, signal, status, lastWords, garbled = 0 }: VisitorEnd): string {
  if (error !== undefined) return `cannot be started: ${error}`;
  const end = signal === undefined ? `exited with ${status}` : `was ended by ${signal}`;
  const last = lastWords === undefined ? "" : ` (${lastWords})`;
  return `${end}${last}${garbled > 0 ? `, after ${garbled} lines that made no sense` : ""}`;
}

/** @param letter the character behind the backslash; "" at the end of the text */
function escapeHelp(letter: string): string {
  if (letter === "x") return "\\x is followed by two digits of 0-9 a-f, like \\x0d";
  if (letter === "") return "the text ends in a single \\; write \\\\ for one that is sent";
  return `there is no \\${letter}; write \\r, \\n, \\t, \\0, \\xNN, or \\\\ for a backslash`;
}
