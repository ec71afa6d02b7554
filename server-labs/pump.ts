// One output stream of a run, drained always, whatever the page does: a server that logs is never held up.
// What is too much is left out of the middle, never off the end: the last words before a crash are shown.
// Every byte that the program wrote is in exactly one event: shown + omitted = produced.
import { Bucket } from "./bucket.ts";
import type { EventBody } from "./event-log.ts";
import { limits, type Stream } from "./protocol.ts";

export type OutputBody = Extract<EventBody, { type: "output" | "output-omitted" }>;

/** An output event stands for at most this much, so that a page can take them one at a time. */
const pieceBytes = 64 * 1024;
/** A flood is shown again when this much may be: four notices a second. */
const resumeBytes = limits.outputBytesPerSecond / 4;
const newline = 10;

export class Pump {
  readonly #stream: Stream;
  readonly #emit: (body: OutputBody) => void;
  readonly #now: () => number;
  readonly #bucket: Bucket;
  /** Bytes emitted so far, shown or omitted: where the next event begins. */
  #offset = 0;
  /** The first bytes of a character whose rest has not come. */
  #partial: Buffer = Buffer.alloc(0);
  #omitted: Omitted | null = null;
  #lastPush: number;

  /** emit is called with events in order; now() in milliseconds. */
  constructor(stream: Stream, emit: (body: OutputBody) => void, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#emit = emit;
    this.#now = now;
    this.#bucket = new Bucket(limits.outputBytesPerSecond, limits.outputBurstBytes, now);
    this.#lastPush = now();
  }

  /** True while something waits for tick() or end(). */
  get omitting(): boolean {
    return this.#omitted !== null;
  }

  /** Takes what the program wrote. Never waits; what it keeps is bounded by outputTailBytes. */
  push(chunk: Buffer): void {
    this.#lastPush = this.#now();
    if (this.#omitted) {
      this.#omitted.add(chunk);
      if (this.#bucket.level >= resumeBytes) this.#resume();
      return;
    }
    const room = Math.max(0, Math.floor(this.#bucket.level));
    const cut = chunk.length <= room ? chunk.length : startOfCharacter(chunk, room);
    if (cut > 0) this.#show(chunk.subarray(0, cut));
    if (cut === chunk.length) return;
    this.#omitted = new Omitted();
    this.#omitted.add(this.#partial);
    this.#partial = Buffer.alloc(0);
    this.#omitted.add(chunk.subarray(cut));
  }

  /** To be called every flushMs while `omitting`: shows the tail once the program is quiet or there is room. */
  tick(): void {
    if (!this.#omitted) return;
    const level = this.#bucket.level;
    const quiet = this.#now() - this.#lastPush >= limits.flushMs;
    if (level >= resumeBytes || (quiet && level >= 0)) this.#resume();
  }

  /** The stream has ended: everything that is left comes out now. */
  end(): void {
    if (this.#omitted) this.#resume();
    if (this.#partial.length > 0) this.#output(this.#partial);
    this.#partial = Buffer.alloc(0);
  }

  #resume(): void {
    const { bytes, lines, tail } = this.#omitted!.close();
    this.#omitted = null;
    if (bytes > 0) {
      this.#emit({ type: "output-omitted", stream: this.#stream, offset: this.#offset, bytes, lines });
      this.#offset += bytes;
    }
    this.#show(tail);
  }

  #show(bytes: Buffer): void {
    this.#bucket.take(bytes.length);
    let rest = this.#partial.length > 0 ? Buffer.concat([this.#partial, bytes]) : bytes;
    const whole = rest.length - unfinished(rest);
    // A copy: a slice would keep the whole chunk alive for three bytes.
    this.#partial = Buffer.from(rest.subarray(whole));
    rest = rest.subarray(0, whole);
    while (rest.length > 0) {
      const cut = rest.length <= pieceBytes ? rest.length : startOfCharacter(rest, pieceBytes);
      this.#output(rest.subarray(0, cut));
      rest = rest.subarray(cut);
    }
  }

  #output(bytes: Buffer): void {
    const text = bytes.toString("utf8"); // what is not UTF-8 becomes U+FFFD
    this.#emit({ type: "output", stream: this.#stream, offset: this.#offset, bytes: bytes.length, text });
    this.#offset += bytes.length;
  }
}

/** What is being left out: counts, and the newest bytes in a ring. */
class Omitted {
  #bytes = 0;
  #lines = 0;
  #ring = Buffer.allocUnsafe(limits.outputTailBytes);

  add(chunk: Buffer): void {
    this.#lines += countLines(chunk);
    const size = this.#ring.length;
    const kept = chunk.length > size ? chunk.subarray(chunk.length - size) : chunk;
    const at = (this.#bytes + chunk.length - kept.length) % size;
    const copied = kept.copy(this.#ring, at);
    kept.copy(this.#ring, 0, copied);
    this.#bytes += chunk.length;
  }

  /** The tail begins at a line where it can, else at a character; what is before it is what was left out. */
  close(): { bytes: number; lines: number; tail: Buffer } {
    const size = this.#ring.length;
    const at = this.#bytes % size;
    const whole = this.#bytes <= size;
    let tail = whole
      ? this.#ring.subarray(0, this.#bytes)
      : Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
    if (!whole) {
      const line = tail.indexOf(newline) + 1;
      tail = tail.subarray(line > 0 && line < size / 2 ? line : nextCharacter(tail));
    }
    return { bytes: this.#bytes - tail.length, lines: this.#lines - countLines(tail), tail };
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === newline) lines++;
  return lines;
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** The nearest place at or before `at` where a character begins; `at` itself where there is none near. */
function startOfCharacter(bytes: Buffer, at: number): number {
  for (let i = at; i > 0 && i > at - 4; i--) if (!isContinuation(bytes[i])) return i;
  return at;
}

function nextCharacter(bytes: Buffer): number {
  for (let i = 0; i < 4; i++) if (!isContinuation(bytes[i])) return i;
  return 0;
}

/** How many bytes at the end are the beginning of a character (RFC 3629) that may still become whole: 0 to 3. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (isContinuation(byte)) continue;
    const length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return byte < 0xf5 && length > back ? back : 0;
  }
  return 0;
}
