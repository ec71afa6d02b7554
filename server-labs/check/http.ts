// One HTTP answer, read by its framing and not by guessing: where it ends, the next one must begin. RFC 9112 6.
import type { Buffer as Octets } from "node:buffer";
import { grouped, quoted } from "./journal.ts";

/** A final answer; those with a status below 200 that came before it are passed over. */
export interface Answer {
  status: number;
  /** Status line and header lines as they came, without the empty line. */
  head: string;
  /** Names in small letters; values of one name joined with ", ". */
  fields: Map<string, string>;
  body: Octets;
  /** Octets of it all, head and body: where the next answer begins. */
  length: number;
}

/** What should stand at this octet ("a status line"), and what does. */
export interface Fault {
  fault: string;
  found: string;
  at: number;
}

/** No whole answer yet; so many octets must be there before it is worth another look. */
export interface More {
  need: number;
  /** "the head", "3 of 12 octets of the body" */
  has: string;
}

const statusLine = /^HTTP\/1\.[01] (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/**
 * Reads one answer from the beginning of these octets.
 * @param to the method of the request: an answer to HEAD has no body (RFC 9110 9.3.2)
 * @param over nothing more will come: a body without a length ends here (RFC 9112 6.3, rule 8)
 */
export function readAnswer(octets: Octets, to: string, over: boolean, from = 0): Answer | Fault | More {
  const end = octets.indexOf("\r\n\r\n", from);
  if (end === -1) {
    // Said as early as it is certain: what begins otherwise will not become a status line.
    const beginning = octets.toString("latin1", from, from + 7);
    if (!"HTTP/1.".startsWith(beginning))
      return { fault: "a status line", found: quoted(octets.subarray(from), 60), at: from };
    return { need: octets.length + 1, has: octets.length === from ? "nothing" : "a part of a head" };
  }
  const head = octets.toString("latin1", from, end);
  const [first = "", ...lines] = head.split("\r\n");
  const found = statusLine.exec(first);
  if (!found) return { fault: "a status line", found: line(first), at: from };
  const fields = new Map<string, string>();
  let at = from + first.length + 2;
  for (const text of lines) {
    const field = fieldLine.exec(text);
    if (!field) return { fault: "a header line", found: line(text), at };
    const name = field[1]!.toLowerCase();
    fields.set(name, fields.has(name) ? `${fields.get(name)}, ${field[2]}` : field[2]!);
    at += text.length + 2;
  }
  const status = Number(found[1]);
  const begin = end + 4;
  if (status < 200 && status !== 101) return readAnswer(octets, to, over, begin);
  const answer = (body: Octets, length: number): Answer => ({
    status,
    head,
    fields,
    body,
    length,
  });
  if (to === "HEAD" || status === 204 || status === 304) return answer(Buffer.alloc(0), begin);
  if (/(^|,)\s*chunked\s*$/i.test(fields.get("transfer-encoding") ?? "")) {
    const body = readChunks(octets, begin);
    return "parts" in body ? answer(Buffer.concat(body.parts), body.end) : body;
  }
  const promised = fields.get("content-length");
  if (promised === undefined) {
    if (!over) return { need: octets.length + 1, has: "a head, and no length of its body" };
    return answer(octets.subarray(begin), octets.length);
  }
  if (!/^\d+$/.test(promised))
    return { fault: "a Content-Length of one number", found: `"${promised}"`, at: from + first.length + 2 };
  const length = begin + Number(promised);
  if (octets.length >= length) return answer(octets.subarray(begin, length), length);
  return {
    need: length,
    has: `${grouped(octets.length - begin)} of the ${grouped(Number(promised))} octets of the body that its head promises`,
  };
}

const line = (text: string) => quoted(Buffer.from(text, "latin1"), 60);

function readChunks(octets: Octets, from: number): { parts: Octets[]; end: number } | Fault | More {
  const parts: Octets[] = [];
  for (let at = from; ; ) {
    const end = octets.indexOf("\r\n", at);
    const more = { need: octets.length + 1, has: "a part of a chunked body" };
    if (end === -1) return more;
    const size = /^([0-9A-Fa-f]+)(\s*;.*)?$/.exec(octets.toString("latin1", at, end));
    if (!size) return { fault: "the size of a chunk", found: quoted(octets.subarray(at, end), 60), at };
    const length = Number.parseInt(size[1]!, 16);
    at = end + 2;
    if (length === 0) {
      const last = octets.indexOf("\r\n", at);
      if (last === at) return { parts, end: at + 2 };
      const trailer = octets.indexOf("\r\n\r\n", at);
      return trailer === -1 ? more : { parts, end: trailer + 4 };
    }
    if (octets.length < at + length + 2) return { ...more, need: at + length + 2 };
    parts.push(octets.subarray(at, at + length));
    at += length;
    if (octets.toString("latin1", at, at + 2) !== "\r\n")
      return { fault: "the end of a chunk (CR LF)", found: quoted(octets.subarray(at, at + 30)), at };
    at += 2;
  }
}
