// Visits. Real clients that a student sends against the running program, and each step of them on the run's clock.
// They are the clients that checks are made of, in a process of their own: the visitor.
import * as v from "valibot";
import type { Held, VisitCode } from "./sentences/visits.ts";
import type { Statement } from "./sentences.ts";

export type { ClientOutcome, Held, ManyClientsOutcome, VisitorEnd } from "./sentences/visits.ts";

/** Bounds of visits. */
export const visitLimits = {
  /** Visits that are under way at once. */
  open: 32,
  /** Clients of one visit. */
  clients: 1_000,
  /** Clients of all visits of a run: each is a descriptor here, one in the program, and a port of this machine. */
  allClients: 4_000,
  /** The longest time between bytes, or between reads, in milliseconds. */
  everyMs: 5_000,
  /** Bytes that one visit sends, as the student typed them. */
  sentBytes: 64 * 1024,
  /** Bytes of what came that an event shows; all are counted. */
  shownBytes: 2 * 1024,
  /** Answers of a burst that an event lists; all are counted. */
  listedAnswers: 40,
  /** After this time a visit reports that it waits; a piece that the server has not read is followed by the next. */
  timeoutMs: 1_000,
  /** No event announces that nothing more will come: a burst is judged when nothing new has come for this long. */
  quietPeriodMs: 1_500,
} as const;

export const visitKinds = [
  "get",
  "silent",
  "split",
  "drip",
  "pipeline",
  "slow-reader",
  "half-close",
  "reset",
  "burst",
  "idle",
  "raw",
] as const;
export type VisitKind = (typeof visitKinds)[number];

/** The defaults of each kind; a kind has only the fields that it has a default for ("split" has "at", "raw" has "text"). */
export const visitDefaults: Record<VisitKind, { count?: number; everyMs?: number; path?: string }> = {
  get: { path: "/" },
  silent: {},
  split: { path: "/" },
  drip: { path: "/", everyMs: 50 },
  pipeline: { path: "/", count: 3 },
  "slow-reader": { path: "/large.bin", everyMs: 200 },
  "half-close": { path: "/" },
  reset: { path: "/" },
  burst: { path: "/", count: 50 },
  idle: { count: 500 },
  raw: {},
};

/** A slow reader's SO_RCVBUF (the kernel doubles it), and what it takes at a time, in bytes. */
export const slowReader = { receiveBuffer: 2048, bytes: 1024 } as const;

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());
const aPort = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

/** Body of POST /api/runs/<run>/visits: 201 with its id; what its clients do are `visit` events of the run. */
export const visitBody = v.strictObject({
  kind: v.picklist(visitKinds),
  /** What it asks for; left out: as in visitDefaults. */
  path: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(2048),
      v.regex(/^\/[\x21-\x7e]*$/, "a path begins with /, and what is not ASCII is written %E4%BD%A0"),
    ),
  ),
  /** raw: what is sent, as bytesOf reads it. */
  text: v.optional(v.pipe(v.string(), v.maxLength(visitLimits.sentBytes))),
  /** split: the pieces end before these bytes, counted from 0. */
  at: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(1))), v.maxLength(64))),
  /** burst, idle, pipeline: how many. */
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(visitLimits.clients))),
  /** drip, slow-reader: milliseconds between bytes, or between reads. */
  everyMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(visitLimits.everyMs))),
});
export type VisitBody = v.InferOutput<typeof visitBody>;

const whats = [
  "begins",
  "connected",
  "sent",
  "got",
  "ended",
  "reset",
  "refused",
  "closed",
  "waits",
  "done",
] as const;

/** One of many clients that was answered. `ms` is the time from its request to its answer. */
const answeredClient = v.strictObject({ client: whole, status: whole, ms: finite, port: aPort });
export type AnsweredClient = v.InferOutput<typeof answeredClient>;

/** One thing that a client of a visit did, or that happened to it: the `visit` event. */
export interface VisitStep {
  visit: string;
  kind: VisitKind;
  /** "client 3"; of many at once: "50 clients". */
  who: string;
  /** ended, reset: by the server; closed: by the client. waits: the visit goes on. done: the last step. */
  what: (typeof whats)[number];
  /** Milliseconds since the run began, taken when it happened: the clock of the syscalls. */
  when: number;
  /** Bytes that this step is about. */
  bytes?: number;
  /** The first of them as text, what cannot be printed escaped. */
  text?: string;
  statement: Statement<VisitCode>;
  /** The client's own port: the server knows the client by it. */
  port?: number;
  /** connected, of many at once: the ports of client 1, client 2 and so on; 0 of one that is not connected. */
  ports?: number[];
  /** Of many at once: the first that were answered, in the order in which the answers came. */
  answers?: AnsweredClient[];
  /** begins: the same for a shell, where that exists. */
  command?: string;
}

/** Answer to POST /api/runs/<run>/visits. */
export interface VisitAnswer {
  visit: string;
  kind: VisitKind;
  command: string;
  events: string;
}

const escapes: Record<string, number> = { r: 13, n: 10, t: 9, "0": 0, "\\": 92 };

/**
 * The bytes that a raw text means: \r \n \t \0 \\ and \xNN are one byte each, everything else is itself in UTF-8.
 * A text that cannot be read gives the refusal that says where.
 */
export function bytesOfEscapes(
  text: string,
): { bytes: Uint8Array } | { refusal: Statement<"visit-text-unreadable"> } {
  const utf8 = new TextEncoder();
  const bytes: number[] = [];
  const pattern = /\\x([0-9a-fA-F]{2})|\\(.?)|[^\\]+/gsu;
  for (const found of text.matchAll(pattern)) {
    const [whole, hex, letter] = found;
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (letter === undefined) for (const byte of utf8.encode(whole)) bytes.push(byte);
    else if (escapes[letter] !== undefined) bytes.push(escapes[letter]);
    else {
      const before = text.slice(0, found.index).split("\n");
      const place = { line: before.length, column: before.at(-1)!.length + 1 };
      return { refusal: { code: "visit-text-unreadable", ...place, letter } };
    }
  }
  return { bytes: Uint8Array.from(bytes) };
}

// ------------------------------------------------------------------------- between the lab server and the visitor
// One JSON object a line: commands on its stdin, reports on its stdout. Its times are CLOCK_MONOTONIC in milliseconds.

/** What the lab server sends to the visitor. */
export type VisitorCommand =
  /** `sends` are the bytes of one request, one character each; `pieces` are where they are cut. */
  | {
      type: "visit";
      visit: string;
      host: "127.0.0.1" | "::1";
      port: number;
      kind: VisitKind;
      sends: string;
      pieces: number[];
      count: number;
      everyMs: number;
    }
  | { type: "leave"; visit: string }
  /** The driver wants the program to wait: no client may lose patience with it. Null: the program goes. */
  | { type: "held"; held: Held | null };

const held = v.nullable(v.picklist(["paused", "slow"]));
const word = v.pipe(v.string(), v.maxLength(40));
const words = v.pipe(v.string(), v.maxLength(300));

const outcome = v.strictObject({
  wanted: whole,
  statuses: v.pipe(v.array(whole), v.maxLength(visitLimits.clients)),
  bytes: whole,
  afterMs: v.nullable(finite),
  early: v.boolean(),
  connection: v.picklist(["open", "ended", "broken"]),
  errno: v.nullable(word),
  fault: v.nullable(v.strictObject({ expected: words, received: words })),
  has: words,
});

const manyOutcome = v.strictObject({
  clients: whole,
  answered: whole,
  fromMs: finite,
  toMs: finite,
  waiting: whole,
  closed: whole,
  reset: whole,
  odd: whole,
  held,
});

/** What the visitor may state. The lab server itself states how a visit began, and how the visitor ended. */
const visitorStatement = v.variant("code", [
  v.strictObject({ code: v.literal("client-connected") }),
  v.strictObject({
    code: v.literal("crowd-connected"),
    connected: whole,
    clients: whole,
    ms: finite,
    waiting: whole,
  }),
  v.strictObject({ code: v.literal("client-sent"), bytes: whole, pieces: whole }),
  v.strictObject({ code: v.literal("client-got"), bytes: whole, pieces: whole }),
  v.strictObject({ code: v.literal("crowd-sent"), clients: whole }),
  v.strictObject({ code: v.literal("crowd-answers"), answers: whole }),
  v.strictObject({ code: v.literal("client-answered"), status: whole, ms: finite, bytes: whole }),
  v.strictObject({ code: v.literal("server-closed") }),
  v.strictObject({ code: v.literal("server-reset"), errno: word }),
  v.strictObject({ code: v.literal("client-refused") }),
  v.strictObject({ code: v.literal("crowd-refused"), clients: whole }),
  v.strictObject({ code: v.literal("client-broken"), errno: word }),
  v.strictObject({ code: v.literal("client-closes") }),
  v.strictObject({ code: v.literal("crowd-closes"), clients: whole }),
  v.strictObject({ code: v.literal("client-half-closes") }),
  v.strictObject({ code: v.literal("client-resets") }),
  v.strictObject({ code: v.literal("client-not-let-in"), ms: finite }),
  v.strictObject({ code: v.literal("client-silent") }),
  v.strictObject({ code: v.literal("client-sends-nothing") }),
  v.strictObject({ code: v.literal("client-reads-slowly"), bytes: whole, everyMs: finite }),
  v.strictObject({ code: v.literal("client-waits"), outcome, ms: finite, held }),
  v.strictObject({ code: v.literal("client-stays"), outcome }),
  v.strictObject({ code: v.literal("piece-not-read"), piece: whole, pieces: whole, ms: finite, held }),
  v.strictObject({ code: v.literal("crowd-waits"), outcome: manyOutcome }),
  v.strictObject({ code: v.literal("crowd-idle"), open: whole, closed: whole, waiting: whole }),
  v.strictObject({ code: v.literal("visit-result"), outcome }),
  v.strictObject({ code: v.literal("visit-crowd-result"), outcome: manyOutcome }),
  v.strictObject({ code: v.literal("visit-reset-sent") }),
  v.strictObject({ code: v.literal("visit-crowd-closed"), clients: whole }),
  v.strictObject({ code: v.literal("visit-not-connected"), errno: word }),
  v.strictObject({ code: v.literal("visit-too-few-clients"), made: whole, clients: whole, errno: word }),
  v.strictObject({ code: v.literal("visit-failed"), why: words }),
  v.strictObject({ code: v.literal("visit-left") }),
  v.strictObject({ code: v.literal("visit-left-silent"), ms: finite }),
  v.strictObject({ code: v.literal("visit-left-reading"), bytes: whole, ms: finite }),
  v.strictObject({ code: v.literal("visit-left-result"), outcome }),
  v.strictObject({ code: v.literal("visit-left-crowd"), outcome: manyOutcome }),
  v.strictObject({ code: v.literal("visit-left-idle"), open: whole, clients: whole }),
]);
export type VisitorStatement = v.InferOutput<typeof visitorStatement>;

/** A step that the visitor reports, on its own clock. Bounded and checked like the output of any child. */
export const visitorReport = v.object({
  visit: v.pipe(v.string(), v.maxLength(64)),
  who: v.pipe(v.string(), v.maxLength(64)),
  what: v.picklist(whats),
  clock: finite,
  bytes: v.optional(whole),
  // A byte is at most four characters here: "\x00".
  text: v.optional(v.pipe(v.string(), v.maxLength(4 * visitLimits.shownBytes))),
  statement: visitorStatement,
  port: v.optional(aPort),
  ports: v.optional(v.pipe(v.array(v.union([aPort, v.literal(0)])), v.maxLength(visitLimits.clients))),
  answers: v.optional(v.pipe(v.array(answeredClient), v.maxLength(visitLimits.listedAnswers))),
});
export type VisitorReport = v.InferOutput<typeof visitorReport>;
