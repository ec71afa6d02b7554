// HTTP answer. Parses one answer by its framing, RFC 9112, 6: where it ends, the next answer must begin.
import { grouped } from "../protocol.ts";
import { quoted } from "./journal.ts";

/** A final answer; the parser skips interim answers (status below 200) that came before it. */
export interface Answer {
  status: number;
  /** Status line and header lines as they came, without the empty line. */
  head: string;
  /** Names in small letters; values of one name joined with ", ". */
  fields: Map<string, string>;
  body: Buffer;
  /** Buffer of it all, head and body: where the next answer begins. */
  length: number;
}

/** The bytes are not an HTTP answer: what the parser expected at this byte ("a status line"), and what it found. */
export interface FramingFault {
  fault: string;
  found: string;
  at: number;
}

/** The answer is not complete: `need` bytes must be there before it is worth parsing again. */
export interface PartialAnswer {
  need: number;
  /** What has come: "a part of a head", "3 of the 12 bytes of the body …". */
  has: string;
}

const statusLine = /^HTTP\/1\.[01] (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/**
 * Parses one answer at the beginning of these bytes.
 * @param to the method of the request: an answer to HEAD has no body (RFC 9110, 9.3.2)
 * @param over no more bytes will come: a body without a length ends here (RFC 9112, 6.3, rule 8)
 * @param from the offset at which the answer begins
 */
export function readAnswer(
  bytes: Buffer,
  to: string,
  over: boolean,
  from = 0,
): Answer | FramingFault | PartialAnswer {
  const end = bytes.indexOf("\r\n\r\n", from);
  if (end === -1) {
    // Reported as early as it is certain: bytes that begin otherwise cannot become a status line.
    const beginning = bytes.toString("latin1", from, from + 7);
    if (!"HTTP/1.".startsWith(beginning))
      return { fault: "a status line", found: quoted(bytes.subarray(from), 60), at: from };
    return { need: bytes.length + 1, has: bytes.length === from ? "nothing" : "a part of a head" };
  }
  const head = bytes.toString("latin1", from, end);
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
  if (status < 200 && status !== 101) return readAnswer(bytes, to, over, begin);
  const answer = (body: Buffer, length: number): Answer => ({
    status,
    head,
    fields,
    body,
    length,
  });
  if (to === "HEAD" || status === 204 || status === 304) return answer(Buffer.alloc(0), begin);
  if (/(^|,)\s*chunked\s*$/i.test(fields.get("transfer-encoding") ?? "")) {
    const body = readChunks(bytes, begin);
    return "parts" in body ? answer(Buffer.concat(body.parts), body.end) : body;
  }
  const promised = fields.get("content-length");
  if (promised === undefined) {
    if (!over) return { need: bytes.length + 1, has: "a head, and no length of its body" };
    return answer(bytes.subarray(begin), bytes.length);
  }
  if (!/^\d+$/.test(promised))
    return { fault: "a Content-Length of one number", found: `"${promised}"`, at: from + first.length + 2 };
  const length = begin + Number(promised);
  if (bytes.length >= length) return answer(bytes.subarray(begin, length), length);
  return {
    need: length,
    has: `${grouped(bytes.length - begin)} of the ${grouped(Number(promised))} bytes of the body that its head promises`,
  };
}

const line = (text: string) => quoted(Buffer.from(text, "latin1"), 60);

function readChunks(
  bytes: Buffer,
  from: number,
): { parts: Buffer[]; end: number } | FramingFault | PartialAnswer {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const more = { need: bytes.length + 1, has: "a part of a chunked body" };
    if (end === -1) return more;
    const size = /^([0-9A-Fa-f]+)(\s*;.*)?$/.exec(bytes.toString("latin1", at, end));
    if (!size) return { fault: "the size of a chunk", found: quoted(bytes.subarray(at, end), 60), at };
    const length = Number.parseInt(size[1]!, 16);
    at = end + 2;
    if (length === 0) {
      const last = bytes.indexOf("\r\n", at);
      if (last === at) return { parts, end: at + 2 };
      const trailer = bytes.indexOf("\r\n\r\n", at);
      return trailer === -1 ? more : { parts, end: trailer + 4 };
    }
    if (bytes.length < at + length + 2) return { ...more, need: at + length + 2 };
    parts.push(bytes.subarray(at, at + length));
    at += length;
    if (bytes.toString("latin1", at, at + 2) !== "\r\n")
      return { fault: "the end of a chunk (CR LF)", found: quoted(bytes.subarray(at, at + 30)), at };
    at += 2;
  }
}
