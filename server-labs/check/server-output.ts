// Server output. What the program under test prints: always read, all of it counted, its end kept. A program whose
// output is not read blocks when the pipe is full, and the check would judge a server that it has blocked itself.
import type { Readable } from "node:stream";
import { defaultWaitMs, type Poller, type Within } from "../clients.ts";

/** Bytes of output that are kept; all bytes are counted. */
const keptBytes = 1024 * 1024;
/** The end of the output that lastLines() looks through, and the characters that it shows of one line. */
const tail = { bytes: 16 * 1024, lineLength: 240 } as const;

/** Reads pipes to their end, counts everything, and keeps the last megabyte. */
export class OutputBuffer {
  /** Bytes since the program started. */
  bytes = 0;
  /** Line feeds since the program started. */
  lines = 0;
  #chunks: Buffer[] = [];
  #kept = 0;

  /** Reads this pipe from now to its end. */
  drain(stream: Readable): void {
    stream.on("data", (chunk: Buffer) => this.#add(chunk));
    stream.on("error", () => {}); // The pipe ends with the program, and ServerProcess knows how the program ended.
  }

  #add(chunk: Buffer): void {
    this.bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.lines++;
    this.#chunks.push(chunk);
    this.#kept += chunk.length;
    while (this.#kept - this.#chunks[0]!.length > keptBytes) this.#kept -= this.#chunks.shift()!.length;
  }

  /** The output from this byte on, as far as it is kept. */
  since(bytes: number): string {
    const all = Buffer.concat(this.#chunks);
    const first = this.bytes - all.length;
    return all.subarray(Math.max(0, bytes - first)).toString();
  }

  /** The last lines for a reader: empty lines are left out, long lines are cut. */
  lastLines(lines: number): string[] {
    const all = this.since(this.bytes - tail.bytes).split("\n");
    return all
      .filter(line => line.trim() !== "")
      .slice(-lines)
      .map(line => (line.length > tail.lineLength ? `${line.slice(0, tail.lineLength)} …` : line));
  }
}

/** The server's output, as a check sees it. */
export class ServerOutput {
  readonly #buffer: OutputBuffer;
  readonly #poller: Poller;

  constructor(buffer: OutputBuffer, poller: Poller) {
    this.#buffer = buffer;
    this.#poller = poller;
  }

  /** Bytes since the server started. */
  get bytes(): number {
    return this.#buffer.bytes;
  }

  /** Lines since the server started. */
  get lines(): number {
    return this.#buffer.lines;
  }

  /** The output behind the first `bytes` bytes. */
  since(bytes: number): string {
    return this.#buffer.since(bytes);
  }

  /** Waits until the output behind byte `from` contains this. @returns that output; null when the time is over first */
  async prints(
    part: string | RegExp,
    { within = defaultWaitMs, from = 0 }: Within & { from?: number } = {},
  ): Promise<string | null> {
    let seen = -1;
    const found = () => {
      if (this.bytes === seen) return null;
      seen = this.bytes;
      const text = this.since(from);
      return (typeof part === "string" ? text.includes(part) : part.test(text)) ? text : null;
    };
    return this.#poller.until(found, within);
  }
}
