// What a student asks for as an order for the visitor: defaults filled in, the request written out octet by octet.
import { Refusal } from "./answers.ts";
import {
  octetsOf,
  type VisitBody,
  type VisitKind,
  type VisitorCommand,
  visitDefaults,
  visitLimits,
} from "./protocol.ts";

type Order = Extract<VisitorCommand, { type: "visit" }>;

/** Where a request is cut in two, unless told: in the middle of its first line. */
const defaultCut = 8;

/** @throws Refusal 400 for what cannot be sent */
export function orderOf(
  body: VisitBody,
  visit: string,
  { host, port }: { host: "127.0.0.1" | "::1"; port: number },
): { order: Order; path: string } {
  const { kind } = body;
  const defaults = visitDefaults[kind];
  for (const field of ["path", "count", "everyMs"] as const)
    if (body[field] !== undefined && defaults[field] === undefined)
      throw new Refusal(400, `A visit of the kind "${kind}" has no "${field}".`);
  if (body.at !== undefined && kind !== "split")
    throw new Refusal(400, `Only a visit of the kind "split" has an "at".`);
  if ((body.text !== undefined) !== (kind === "raw"))
    throw new Refusal(
      400,
      kind === "raw"
        ? `A raw visit needs a "text": what it sends.`
        : `Only a visit of the kind "raw" has a "text".`,
    );
  const path = body.path ?? defaults.path ?? "/";
  const count = body.count ?? defaults.count ?? 1;
  const sends = kind === "raw" ? written(body.text!) : request(path, host, port);
  if (sends.length * (kind === "pipeline" ? count : 1) > visitLimits.sentBytes)
    throw new Refusal(400, `A visit sends at most ${visitLimits.sentBytes} octets.`);
  const pieces = kind === "split" ? cuts(body.at ?? [defaultCut], sends.length) : [];
  const everyMs = body.everyMs ?? defaults.everyMs ?? 0;
  return { order: { type: "visit", visit, host, port, kind, sends, pieces, count, everyMs }, path };
}

/** What a visit sets out to do, in words. */
export function sentenceOf({ kind, sends, pieces, count, everyMs, port }: Order) {
  const line = sends.slice(0, sends.indexOf(" HTTP/"));
  const words: Record<VisitKind, string> = {
    get: line,
    silent: "a client that says nothing",
    split: `${line} in ${pieces.length + 1} pieces`,
    drip: `${line}, one octet every ${everyMs} ms`,
    pipeline: `${count} requests at once on one connection: ${line}`,
    "slow-reader": `${line}, and hardly reads`,
    "half-close": `${line}, then the end of its half`,
    reset: `${line}, then RST`,
    burst: `${count} clients at once: ${line}`,
    idle: `${count} connections that say nothing`,
    raw: `${sends.length} octets, as they were typed`,
  };
  return `${words[kind].slice(0, 300)} → port ${port}`;
}

function request(path: string, host: string, port: number): string {
  const authority = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
}

function written(text: string): string {
  const read = octetsOf(text);
  if ("problem" in read) throw new Refusal(400, read.problem);
  return Buffer.from(read.octets).toString("latin1");
}

function cuts(at: number[], length: number): number[] {
  const late = at.find(cut => cut >= length);
  if (late !== undefined)
    throw new Refusal(
      400,
      `The request has ${length} octets: it cannot be cut before octet ${late}, only before 1 to ${length - 1}.`,
    );
  return [...new Set(at)].sort((a, b) => a - b);
}
