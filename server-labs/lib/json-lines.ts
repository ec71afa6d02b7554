// JSON lines. Reads the JSON value of each line of a byte stream. It never throws and it keeps at most one line, because
// the other end may be a process in which a student's text runs. It imports nothing: the runtime loads it, too.

/** What a line was: a value, an empty line, or a bad line with a sentence that says what is wrong with it. */
export type JsonLine =
  | { kind: "value"; value: unknown }
  | { kind: "empty" }
  | { kind: "bad"; problem: string };

/** Characters of a bad line that its sentence quotes. */
const quotedCharacters = 80;
const lf = 0x0a;
const utf8 = new TextDecoder("utf-8", { fatal: true });

export class JsonLines {
  readonly #mostBytes: number;
  /** The beginning of the line whose end has not come. */
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @param mostBytes the longest line that is read, without its newline */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /**
   * The lines that end in this chunk, in order. A chunk may end anywhere, also inside a character. A line that is too
   * long is reported once, as soon as that is known, and what still comes of it is dropped.
   * @param chunk may be used again by the caller afterwards
   */
  push(chunk: Uint8Array): JsonLine[] {
    const lines: JsonLine[] = [];
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf(lf, from);
      const part = chunk.subarray(from, end === -1 ? chunk.length : end);
      from += part.length + 1;
      const line = this.#add(part, end !== -1);
      if (line !== null) lines.push(line);
    }
    return lines;
  }

  /** @returns what there is to report: a whole line, or that this one is too long */
  #add(part: Uint8Array, ends: boolean): JsonLine | null {
    const wasTooLong = this.#length > this.#mostBytes;
    this.#length += part.length;
    const tooLong = this.#length > this.#mostBytes;
    const bytes = () => (this.#parts.length === 0 ? part : joined([...this.#parts, part]));
    let line: JsonLine | null = null;
    if (tooLong) {
      if (!wasTooLong) line = bad(`A line is longer than ${this.#mostBytes} bytes`, bytes());
    } else if (!ends) {
      if (part.length > 0) this.#parts.push(new Uint8Array(part));
    } else if (this.#length === 0) line = { kind: "empty" };
    else line = parse(bytes());
    if (ends || tooLong) this.#parts = [];
    if (ends) this.#length = 0;
    return line;
  }
}

/** The value of one whole line, without its newline. */
function parse(bytes: Uint8Array): JsonLine {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return bad("A line is not UTF-8", bytes);
  }
  try {
    return { kind: "value", value: JSON.parse(text) };
  } catch {
    return text.trim() === "" ? { kind: "empty" } : bad("A line is not JSON", bytes);
  }
}

function bad(what: string, bytes: Uint8Array): JsonLine {
  const text = new TextDecoder().decode(bytes.subarray(0, 4 * quotedCharacters));
  return { kind: "bad", problem: `${what}: ${JSON.stringify(text.slice(0, quotedCharacters))}.` };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
