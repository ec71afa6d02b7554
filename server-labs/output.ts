// Both output streams of a run, in the order in which their bytes came: a stack trace on stderr follows the
// lines printed before it. Events go out at most every flushMs; the first after a silence goes at once.
import type { Readable } from "node:stream";
import { flow } from "./held.ts";
import { limits, type Stream } from "./protocol.ts";
import { type OutputBody, Pump } from "./pump.ts";

/** Joined events stand for at most this much. */
const joinBytes = 64 * 1024;
/** Enough of stderr to recognise how V8 says that its heap is full. */
const lastWordsBytes = 16 * 1024;

export class Output {
  readonly #append: (body: OutputBody) => void;
  readonly #pumps: Record<Stream, Pump>;
  #pending: OutputBody[] = [];
  #lastFlush = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #lastWords = "";

  constructor(append: (body: OutputBody) => void) {
    this.#append = append;
    this.#pumps = {
      stdout: new Pump("stdout", body => this.#add(body)),
      stderr: new Pump("stderr", body => this.#add(body)),
    };
  }

  /** Drains the stream from now on; resolves when it has ended, or was destroyed. */
  drain(name: Stream, stream: Readable): Promise<void> {
    const pump = this.#pumps[name];
    flow(stream, (chunk: Buffer) => {
      if (name === "stderr") this.#remember(chunk);
      pump.push(chunk);
      this.#schedule();
    });
    return new Promise(resolve => {
      // A reset pipe is an end like any other: the run goes on to say how its process ended.
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

  /** Hands on what is pending now, so that something else can follow it in order. */
  flush(): void {
    this.#lastFlush = performance.now();
    const pending = this.#pending;
    this.#pending = [];
    for (const body of pending) this.#append(body);
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
