// Orders. What a student asks for as a command for the visitor: defaults filled in, the request written out.
import { Refusal } from "../lib/refusal.ts";
import {
  bytesOfEscapes,
  formatEndpoint,
  type Statement,
  type VisitBody,
  type VisitorCommand,
  visitDefaults,
  visitLimits,
} from "../protocol.ts";

type Order = Extract<VisitorCommand, { type: "visit" }>;

/** Where a request is cut in two by default: in the middle of its first line. */
const defaultCut = 8;

/**
 * The order for one visit, and the path that it asks for.
 * @param visit the id of the visit
 * @param place where the program listens
 * @throws Refusal when the body asks for what its kind of visit cannot do, or for more than a visit may send
 */
export function orderOf(
  body: VisitBody,
  visit: string,
  { host, port }: { host: "127.0.0.1" | "::1"; port: number },
): { order: Order; path: string } {
  const { kind } = body;
  checkFields(body);
  const defaults = visitDefaults[kind];
  const path = body.path ?? defaults.path ?? "/";
  const count = body.count ?? defaults.count ?? 1;
  const sends = kind === "raw" ? written(body.text!) : request(path, host, port);
  if (sends.length * (kind === "pipeline" ? count : 1) > visitLimits.sentBytes)
    throw new Refusal({ code: "visit-too-long", limit: visitLimits.sentBytes });
  const pieces = kind === "split" ? cuts(body.at ?? [defaultCut], sends.length) : [];
  const everyMs = body.everyMs ?? defaults.everyMs ?? 0;
  return { order: { type: "visit", visit, host, port, kind, sends, pieces, count, everyMs }, path };
}

/** What a visit sets out to do. */
export function aimOf({ kind, sends, pieces, count, everyMs, port }: Order): Statement<"visit-begins"> {
  const line = sends.slice(0, Math.max(0, sends.indexOf(" HTTP/"))).slice(0, 300);
  const bytes = sends.length;
  return { code: "visit-begins", kind, line, bytes, pieces: pieces.length + 1, everyMs, count, port };
}

/** @throws Refusal when the body has a field that its kind of visit has not, or lacks one that it needs */
function checkFields(body: VisitBody): void {
  const { kind } = body;
  for (const field of ["path", "count", "everyMs"] as const)
    if (body[field] !== undefined && visitDefaults[kind][field] === undefined)
      throw new Refusal({ code: "visit-field-unknown", kind, field });
  if (body.at !== undefined && kind !== "split")
    throw new Refusal({ code: "visit-field-of-kind", kind: "split", field: "at" });
  if (body.text !== undefined && kind !== "raw")
    throw new Refusal({ code: "visit-field-of-kind", kind: "raw", field: "text" });
  if (body.text === undefined && kind === "raw") throw new Refusal({ code: "visit-text-missing" });
}

function request(path: string, host: string, port: number): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${formatEndpoint(host, port)}\r\n\r\n`;
}

function written(text: string): string {
  const read = bytesOfEscapes(text);
  if ("refusal" in read) throw new Refusal(read.refusal);
  return Buffer.from(read.bytes).toString("latin1");
}

function cuts(at: number[], length: number): number[] {
  const late = at.find(cut => cut >= length);
  if (late !== undefined) throw new Refusal({ code: "visit-cut-outside", bytes: length, cut: late });
  return [...new Set(at)].sort((a, b) => a - b);
}
