// Clients in reach: real clients that a student sends against the running program, each with what it sent and got on
// the clock of the run. They are the clients that checks are made of, in a process of their own.
import * as v from "valibot";

/** Bounds of visits. */
export const visitLimits = {
  /** Visits that are under way at once. */
  open: 32,
  /** Clients of one visit. */
  clients: 1_000,
  /** Octets that one visit sends, as the student typed them. */
  sentBytes: 64 * 1024,
  /** Octets of what came that an event shows; all are counted. */
  shownBytes: 2 * 1024,
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

/** Body of POST /api/runs/<run>/visits: 201 with its id; what it does are `visit` events of the run. */
export const visitBody = v.strictObject({
  kind: v.picklist(visitKinds),
  /** What it asks for; "/" unless told. */
  path: v.optional(
    v.pipe(v.string(), v.maxLength(2048), v.regex(/^\/[\x21-\x7e]*$/, "a path begins with /")),
  ),
  /** raw: what is sent, with \r\n and \xNN for what cannot be typed. */
  text: v.optional(v.pipe(v.string(), v.maxLength(visitLimits.sentBytes))),
  /** split: the pieces end before these octets. */
  at: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(1))), v.maxLength(64))),
  /** burst, idle, pipeline: how many. */
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(visitLimits.clients))),
  /** drip, slow-reader: milliseconds between octets, or between reads. */
  everyMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5_000))),
});
export type VisitBody = v.InferOutput<typeof visitBody>;

/** One thing that a client of a visit did, or that happened to it: the `visit` event. */
export interface VisitStep {
  visit: string;
  kind: VisitKind;
  /** "client 3"; of many at once: "50 clients". */
  who: string;
  what: "begins" | "connected" | "sent" | "got" | "ended" | "reset" | "refused" | "closed" | "waits" | "done";
  /** Milliseconds since the run began, taken when it happened: the clock of the syscalls. */
  when: number;
  /** Octets that this step is about. */
  bytes?: number;
  /** The first of them as text, what cannot be printed escaped. */
  text?: string;
  /** In words: "answered 200 after 1.2 ms, 1 842 octets", "1 of 50 was answered". */
  sentence: string;
  /** The client's own port: the server knows it by that. */
  port?: number;
  /** begins: the same for a shell, where that exists. */
  command?: string;
}
