// What the program under test prints, always read: a program whose output nobody takes stands still as soon as
// the pipe is full, and then it is the check that is wrong. Counts everything, keeps the end.
import type { Readable } from "node:stream";

/** Bytes of output that are kept to look at; all are counted. */
const keptBytes = 1024 * 1024;

export class Printed {
  /** Bytes since the program started. */
  bytes = 0;
  /** Ends of lines since the program started. */
  lines = 0;
  #chunks: Buffer[] = [];
  #kept = 0;

  /** Takes everything that comes out of this pipe, from now to its end. */
  drain(stream: Readable): void {
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", () => {}); // The pipe ends with the program; how it ended is told elsewhere.
  }

  #take(chunk: Buffer): void {
    this.bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.lines++;
    this.#chunks.push(chunk);
    this.#kept += chunk.length;
    while (this.#kept - this.#chunks[0]!.length > keptBytes) this.#kept -= this.#chunks.shift()!.length;
  }

  /** What was printed from this many bytes on, as far as it is kept. */
  since(bytes: number): string {
    const all = Buffer.concat(this.#chunks);
    const first = this.bytes - all.length;
    return all.subarray(Math.max(0, bytes - first)).toString();
  }

  /** The last lines, for a person: without the empty ones, cut where they are long. */
  tail(lines: number): string[] {
    const all = this.since(this.bytes - 16 * 1024).split("\n");
    return all
      .filter(line => line.trim() !== "")
      .slice(-lines)
      .map(line => (line.length > 240 ? `${line.slice(0, 240)} …` : line));
  }
}
