// Clients in reach: real clients that a student sends against the running program, each with what it sent and got on
// the clock of the run. They are the clients that checks are made of, in a process of their own: the visitor.
import * as v from "valibot";

/** Bounds of visits. */
export const visitLimits = {
  /** Visits that are under way at once. */
  open: 32,
  /** Clients of one visit. */
  clients: 1_000,
  /** Clients of all visits of a run: each is a descriptor here, one in the program, and a port of this machine. */
  allClients: 4_000,
  /** The longest time between octets, or between reads, in milliseconds. */
  everyMs: 5_000,
  /** Octets that one visit sends, as the student typed them. */
  sentBytes: 64 * 1024,
  /** Octets of what came that an event shows; all are counted. */
  shownBytes: 2 * 1024,
  /** A server that has not read a piece for so long gets the next one all the same; what does not come is said. */
  patienceMs: 1_000,
  /** Silence has no event: a burst is judged when nothing new has come for so long. */
  silenceMs: 1_500,
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

/** What is taken for granted of each kind; "at" and "text" only where there is something to say. */
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

/** A slow reader's SO_RCVBUF (the kernel doubles it), and what it takes at a time, in octets. */
export const slowReader = { receiveBuffer: 2048, octets: 1024 } as const;

/** Body of POST /api/runs/<run>/visits: 201 with its id; what it does are `visit` events of the run. */
export const visitBody = v.strictObject({
  kind: v.picklist(visitKinds),
  /** What it asks for; visitDefaults tell what, unless this does. */
  path: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(2048),
      v.regex(/^\/[\x21-\x7e]*$/, "a path begins with /, and what is not ASCII is written %E4%BD%A0"),
    ),
  ),
  /** raw: what is sent, as octetsOf reads it. */
  text: v.optional(v.pipe(v.string(), v.maxLength(visitLimits.sentBytes))),
  /** split: the pieces end before these octets, counted from 0. */
  at: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(1))), v.maxLength(64))),
  /** burst, idle, pipeline: how many. */
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(visitLimits.clients))),
  /** drip, slow-reader: milliseconds between octets, or between reads. */
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

/** One thing that a client of a visit did, or that happened to it: the `visit` event. */
export interface VisitStep {
  visit: string;
  kind: VisitKind;
  /** "client 3"; of many at once: "50 clients". */
  who: string;
  /** ended, reset: by the server; closed: by the client. waits: it goes on, and this is how it stands. done: the last. */
  what: (typeof whats)[number];
  /** Milliseconds since the run began, taken when it happened: the clock of the syscalls. */
  when: number;
  /** Octets that this step is about. */
  bytes?: number;
  /** The first of them as text, what cannot be printed escaped. */
  text?: string;
  /** In words: "answered 200 after 1.2 ms, 1,842 octets", "1 of 50 was answered". */
  sentence: string;
  /** The client's own port: the server knows it by that. */
  port?: number;
  /** connected, of many at once: the ports of client 1, client 2 and so on. */
  ports?: number[];
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
 * The octets that a raw text stands for: \r \n \t \0 \\ and \xNN are one octet each, everything else is itself in UTF-8.
 * What cannot be read is said with its place.
 */
export function octetsOf(text: string): { octets: Uint8Array } | { problem: string } {
  const utf8 = new TextEncoder();
  const octets: number[] = [];
  const pattern = /\\x([0-9a-fA-F]{2})|\\(.?)|[^\\]+/gsu;
  for (const found of text.matchAll(pattern)) {
    const [whole, hex, letter] = found;
    if (hex !== undefined) octets.push(Number.parseInt(hex, 16));
    else if (letter === undefined) for (const octet of utf8.encode(whole)) octets.push(octet);
    else if (escapes[letter] !== undefined) octets.push(escapes[letter]);
    else {
      const before = text.slice(0, found.index).split("\n");
      const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
      const why =
        letter === "x"
          ? "\\x is followed by two digits of 0-9 a-f, like \\x0d"
          : letter === ""
            ? "the text ends in a single \\; write \\\\ for one that is sent"
            : `there is no \\${letter}; write \\r, \\n, \\t, \\0, \\xNN, or \\\\ for a backslash`;
      return { problem: `This cannot be sent, at ${place}: ${why}.` };
    }
  }
  return { octets: Uint8Array.from(octets) };
}

// ------------------------------------------------------------------------- between the lab server and the visitor
// One JSON object a line: commands on its stdin, steps on its stdout. Its times are CLOCK_MONOTONIC in milliseconds.

/** What the lab server tells the visitor. */
export type VisitorCommand =
  /** `sends` are the octets of one request, one character each; `pieces` are where they are cut. */
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
  /** Somebody wants the program to wait, in these words: nobody is to lose patience with it. Null: it goes. */
  | { type: "held"; held: Held | null };

export type Held = "paused" | "in slow motion";

const aPort = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

/** What the visitor says: a step, in its own time. Bounded and checked like the words of any child. */
export const visitorSays = v.object({
  visit: v.pipe(v.string(), v.maxLength(64)),
  who: v.pipe(v.string(), v.maxLength(64)),
  what: v.picklist(whats),
  clock: v.pipe(v.number(), v.finite()),
  bytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  // An octet is at most four characters here: "\x00".
  text: v.optional(v.pipe(v.string(), v.maxLength(4 * visitLimits.shownBytes))),
  sentence: v.pipe(v.string(), v.maxLength(400)),
  port: v.optional(aPort),
  ports: v.optional(v.pipe(v.array(aPort), v.maxLength(visitLimits.clients))),
});
export type VisitorSays = v.InferOutput<typeof visitorSays>;
