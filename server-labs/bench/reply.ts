// What a right answer looks like to the load generator. A rival that answers wrongly is no rival, so every answer is
// looked at: status and length of each, and of one in sixteen every octet of the body.

/** The first answer of a server, understood once; the next ones must be like it. */
export interface Expected {
  /** Length of the head with its empty line. */
  head: number;
  /** The whole answer. */
  total: number;
  body: Buffer;
}

const end = Buffer.from("\r\n\r\n");

/**
 * Understands a whole answer.
 * @returns null when more octets are needed; a sentence when it is not `body` with 200
 */
export function understand(octets: Buffer, body: Buffer): Expected | string | null {
  const at = octets.indexOf(end);
  if (at === -1) return octets.length > 64 * 1024 ? "its head never ends" : null;
  const head = octets.toString("latin1", 0, at);
  const first = head.slice(0, head.indexOf("\r\n") === -1 ? undefined : head.indexOf("\r\n"));
  if (!/^HTTP\/1\.1 200(?: |$)/.test(first)) return `it answers "${first.slice(0, 60)}"`;
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head);
  if (!length) return "its answer has no Content-Length";
  if (/\r\nconnection:[ \t]*close/i.test(head)) return "it closes the connection after each answer";
  if (Number(length[1]) !== body.length) return `it sends ${length[1]} octets of a file that has ${body.length}`;
  const total = at + end.length + body.length;
  if (octets.length < total) return null;
  if (octets.length > total) return "it sends more than its Content-Length says";
  if (!octets.subarray(at + end.length).equals(body)) return "it sends something else than what is in the file";
  return { head: at + end.length, total, body };
}

/** The answers of one connection, in pieces as they come. */
export class Answers {
  readonly #expected: Expected;
  #at = 0;
  #count = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  /**
   * Takes the next piece.
   * @returns 1: with it an answer is whole · 0: more is to come · -1: it is wrong
   */
  take(piece: Buffer, length: number): -1 | 0 | 1 {
    const { head, total, body } = this.#expected;
    const from = this.#at;
    const to = from + length;
    if (to > total) return -1;
    // " 200" of the status line; and the head is where it was, or this is another answer than the first one.
    if (from === 0 && length >= head && !(piece[9] === 0x32 && piece[10] === 0x30 && piece[11] === 0x30 && piece[head - 1] === 10 && piece[head - 3] === 10))
      return -1;
    if ((this.#count & 15) === 0 && to > head) {
      const skip = Math.max(0, head - from);
      const start = from + skip - head;
      if (body.compare(piece, skip, length, start, to - head) !== 0) return -1;
    }
    if (to < total) {
      this.#at = to;
      return 0;
    }
    this.#at = 0;
    this.#count++;
    return 1;
  }
}
