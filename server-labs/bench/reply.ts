// Reply reader. Verifies the answers that the load generator receives: status and length of each, and of one in sixteen
// every byte of the body. The figure of a server that answers wrongly would compare nothing.

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
 * @returns null when more bytes are needed; a sentence when it is not `body` with 200
 */
export function understand(bytes: Buffer, body: Buffer): Expected | string | null {
  const at = bytes.indexOf(end);
  if (at === -1) return bytes.length > 64 * 1024 ? "its head never ends" : null;
  const head = bytes.toString("latin1", 0, at);
  const first = head.slice(0, head.indexOf("\r\n") === -1 ? undefined : head.indexOf("\r\n"));
  if (!/^HTTP\/1\.1 200(?: |$)/.test(first)) return `it answers "${first.slice(0, 60)}"`;
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head);
  if (!length) return "its answer has no Content-Length";
  if (/\r\nconnection:[ \t]*close/i.test(head)) return "it closes the connection after each answer";
  if (Number(length[1]) !== body.length)
    return `it sends ${length[1]} bytes of a file that has ${body.length}`;
  const total = at + end.length + body.length;
  if (bytes.length < total) return null;
  if (bytes.length > total) return "it sends more than its Content-Length says";
  if (!bytes.subarray(at + end.length).equals(body))
    return "it sends something else than what is in the file";
  return { head: at + end.length, total, body };
}

/** The answers of one connection, in pieces as they come. */
export class ReplyReader {
  readonly #body: Buffer;
  #expected: Expected;
  /** Bytes of the answer under way; and all of them, when it is not like those before. */
  #at = 0;
  #odd: Buffer | null = null;
  #count = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#body = expected.body;
  }

  /**
   * Adds the next `length` bytes, which are at the beginning of `piece`.
   * @returns 1: with them an answer is whole · 0: more is to come · -1: it is wrong
   */
  add(piece: Buffer, length: number): -1 | 0 | 1 {
    const { head, total, body } = this.#expected;
    const from = this.#at;
    const to = from + length;
    if (this.#odd !== null || (from === 0 && !(length >= head && alike(piece, head))))
      return this.#study(piece, length);
    if (to > total) return -1;
    if ((this.#count & 15) === 0 && to > head) {
      const skip = Math.max(0, head - from);
      if (body.compare(piece, skip, length, from + skip - head, to - head) !== 0) return -1;
    }
    if (to < total) {
      this.#at = to;
      return 0;
    }
    this.#at = 0;
    this.#count++;
    return 1;
  }

  /** A head may change, say by an ETag: such an answer is understood anew. */
  #study(piece: Buffer, length: number): -1 | 0 | 1 {
    this.#odd = Buffer.concat([this.#odd ?? Buffer.alloc(0), piece.subarray(0, length)]);
    const understood = understand(this.#odd, this.#body);
    if (understood === null) return 0;
    if (typeof understood === "string") return -1;
    this.#odd = null;
    this.#expected = understood;
    this.#count++;
    return 1;
  }
}

/** Its status is 200, and its head ends where the last one did. */
function alike(piece: Buffer, head: number): boolean {
  const status = piece[9] === 0x32 && piece[10] === 0x30 && piece[11] === 0x30;
  return (
    status &&
    piece[head - 4] === 13 &&
    piece[head - 3] === 10 &&
    piece[head - 2] === 13 &&
    piece[head - 1] === 10
  );
}
