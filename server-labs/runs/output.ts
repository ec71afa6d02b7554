// Output of a run. Both streams in the order in which their bytes came: a stack trace on stderr follows the lines
// printed before it. Each stream is drained always, whatever the page does: a server that logs is never held up, and a
// flood only so far that the lab server can answer.
// Every byte that the program wrote is in exactly one event: shown + omitted = produced.
import type { Readable } from "node:stream";
import type { EventBody } from "../events.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { flow } from "../process.ts";
import { limits, type Stream } from "../protocol.ts";

export type OutputBody = Extract<EventBody, { type: "output" | "output-omitted" }>;

/** Output events that follow each other are joined up to this many bytes. */
const joinBytes = 64 * 1024;
/**
 * Of both streams together, so much is read in one flushMs (62 MB/s), and what comes beyond it waits in the pipe. A flood
 * that is read as fast as it comes takes a whole processor and the answers of the lab server with it: healthz took 0.3 s.
 */
const sliceBytes = 1024 * 1024;
/** Enough of stderr to recognise how V8 says that its heap is full. */
const lastWordsBytes = 16 * 1024;

/** Appends what a program prints: at most once in flushMs, and the first bytes after a silence at once. */
export class RunOutput {
  readonly #append: (body: OutputBody) => void;
  readonly #pumps: Record<Stream, Pump>;
  #pending: OutputBody[] = [];
  #lastFlush = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #lastWords = "";
  /** Bytes that came since `#sliceAt`, and the streams that wait for the next slice. */
  #slice = 0;
  #sliceAt = Number.NEGATIVE_INFINITY;
  readonly #waiting = new Set<Readable>();

  constructor(append: (body: OutputBody) => void) {
    this.#append = append;
    this.#pumps = {
      stdout: new Pump("stdout", body => this.#add(body)),
      stderr: new Pump("stderr", body => this.#add(body)),
    };
  }

  /** Drains the stream from now on. Resolves when it has ended or was destroyed. */
  drain(name: Stream, stream: Readable): Promise<void> {
    const pump = this.#pumps[name];
    flow(stream, (chunk: Buffer) => {
      if (name === "stderr") this.#remember(chunk);
      pump.push(chunk);
      this.#schedule();
      this.#ration(stream, chunk.length);
    });
    return new Promise(resolve => {
      // A reset pipe is an end like any other: how the process ended is still to come.
      stream.on("error", () => {});
      stream.on("close", () => {
        pump.end();
        this.flush();
        resolve();
      });
    });
  }

  /** The end of what was printed on stderr, as bytes. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Appends what is pending now, so that another event can follow it in order. */
  flush(): void {
    this.#lastFlush = performance.now();
    const pending = this.#pending;
    this.#pending = [];
    for (const body of pending) this.#append(body);
  }

  /** Lets a stream that floods wait until the next slice. */
  #ration(stream: Readable, bytes: number): void {
    const now = performance.now();
    if (now - this.#sliceAt > limits.flushMs) {
      this.#sliceAt = now;
      this.#slice = 0;
    }
    this.#slice += bytes;
    if (this.#slice < sliceBytes || this.#waiting.has(stream)) return;
    stream.pause();
    this.#waiting.add(stream);
    setTimeout(() => {
      this.#waiting.delete(stream);
      stream.resume();
    }, limits.flushMs);
  }

  #remember(chunk: Buffer): void {
    const words = chunk.subarray(-lastWordsBytes).toString("latin1");
    this.#lastWords = (this.#lastWords + words).slice(-lastWordsBytes);
  }

  #schedule(): void {
    if (this.#timer) return;
    const { stdout, stderr } = this.#pumps;
    const wait = this.#lastFlush + limits.flushMs - performance.now();
    if (wait <= 0 && this.#pending.length > 0) this.flush();
    if (this.#pending.length === 0 && !stdout.omitting && !stderr.omitting) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      stdout.tick();
      stderr.tick();
      this.flush();
      this.#schedule();
    }, limits.flushMs);
  }

  #add(body: OutputBody): void {
    const last = this.#pending.at(-1);
    const joins =
      last?.type === "output" &&
      body.type === "output" &&
      last.stream === body.stream &&
      last.bytes + body.bytes <= joinBytes;
    if (!joins) {
      this.#pending.push(body);
      return;
    }
    last.text += body.text;
    last.bytes += body.bytes;
  }
}

/** An output event holds at most this many bytes, so that a page can take them one at a time. */
const pieceBytes = 64 * 1024;
/** Output is shown again when the bucket allows this many bytes: four notices a second. */
const resumeBytes = limits.outputBytesPerSecond / 4;
const newline = 10;

/**
 * Pump. One stream of a run. It leaves out the middle of a flood and never its end: the last words before a crash are
 * shown.
 */
export class Pump {
  readonly #stream: Stream;
  readonly #emit: (body: OutputBody) => void;
  readonly #now: () => number;
  readonly #bucket: TokenBucket;
  /** Bytes emitted so far, shown or omitted: where the next event begins. */
  #offset = 0;
  /** The first bytes of a character whose rest has not come. */
  #partial: Buffer = Buffer.alloc(0);
  #omitted: Omitted | null = null;
  #lastPush: number;

  /** @param emit called with the events in order @param now a clock in milliseconds */
  constructor(stream: Stream, emit: (body: OutputBody) => void, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#emit = emit;
    this.#now = now;
    this.#bucket = new TokenBucket(limits.outputBytesPerSecond, limits.outputBurstBytes, now);
    this.#lastPush = now();
  }

  /** True while bytes wait for tick() or end(). */
  get omitting(): boolean {
    return this.#omitted !== null;
  }

  /** Takes what the program wrote. Never waits, and keeps at most outputTailBytes. */
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
    this.#bucket.consume(bytes.length);
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
    const text = bytes.toString("utf8"); // bytes that are not UTF-8 become U+FFFD
    this.#emit({ type: "output", stream: this.#stream, offset: this.#offset, bytes: bytes.length, text });
    this.#offset += bytes.length;
  }
}

/** Bytes that are left out: their counts, and the newest of them in a ring buffer. */
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

  /** The tail starts at a line where it can, else at a character; the bytes before it were left out. */
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

/** The nearest place at or before `at` where a character begins; `at` itself where no character begins near. */
function startOfCharacter(bytes: Buffer, at: number): number {
  for (let i = at; i > 0 && i > at - 4; i--) if (!isContinuation(bytes[i])) return i;
  return at;
}

function nextCharacter(bytes: Buffer): number {
  for (let i = 0; i < 4; i++) if (!isContinuation(bytes[i])) return i;
  return 0;
}

/** How many bytes at the end start a character (RFC 3629) whose rest may still come: 0 to 3. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (isContinuation(byte)) continue;
    const length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return byte < 0xf5 && length > back ? back : 0;
  }
  return 0;
}
