// Session. One page at the other end of one WebSocket: its requests, what it watches, and its flow-control window.
// The page hears the state of a lab before any event of it. A session owns its own socket and its own readers only: when
// the page goes away its runs live on, and another socket's late end cannot silence this one.
import type { WebSocket } from "ws";
import { follow } from "../events.ts";
import type { Labs, RunHandle } from "../labs.ts";
import { Refusal } from "../lib/refusal.ts";
import type { Pacer } from "../pace.ts";
import {
  type LabId,
  limits,
  type Message,
  type Notice,
  type ProblemStatement,
  type Request,
  type RunId,
  request,
} from "../protocol.ts";
import { fits, parseJson } from "./answers.ts";
import { clockEveryMs, runClock } from "./run-clock.ts";

/** One message holds at most this many bytes of JSON, so that a page can acknowledge before its window is full. */
const batchBytes = 64 * 1024;

export type Hello = Omit<Extract<Notice, { type: "hello" }>, "page">;

export class Session {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #drives = new Set<RunId>();
  readonly #labs: Labs;
  readonly #watches: Watches;
  readonly #unsubscribe: (() => void)[];
  #closed = false;

  /**
   * @param unexpected called with errors that are mistakes of the lab server
   * @param name the page's name as a driver: "page 3"
   */
  constructor(
    socket: WebSocket,
    labs: Labs,
    hello: Hello,
    unexpected: (error: unknown) => void,
    name: string,
  ) {
    this.#socket = socket;
    this.#name = name;
    this.#labs = labs;
    this.#watches = new Watches(labs, text => this.#write(text));
    this.#unsubscribe = [
      labs.runs.onChange(lab => this.#watches.update(lab)),
      labs.workspace.onChange((lab, file, etag) => {
        if (this.#watches.has(lab)) this.#send({ type: "file", lab, file, etag });
      }),
    ];
    socket.on("message", (data, isBinary) => void this.#onMessage(String(data), isBinary, unexpected));
    socket.on("error", () => {}); // a malformed frame: ws closes the socket by itself, with the code that says why
    socket.on("close", () => this.#end());
    this.#send({ ...hello, page: name });
  }

  async #onMessage(text: string, isBinary: boolean, unexpected: (error: unknown) => void): Promise<void> {
    let type: string | undefined;
    try {
      if (isBinary) throw new Refusal({ code: "message-not-text" });
      const value = parseJson(text, "request");
      type = typeOf(value);
      await this.#do(fits(request, value, "request"));
    } catch (error) {
      if (!(error instanceof Refusal)) unexpected(error);
      const statement: ProblemStatement =
        error instanceof Refusal ? error.statement : { code: "server-mistake" };
      this.#send({ type: "problem", statement, ...(type === undefined ? {} : { request: type }) });
    }
  }

  async #do(asked: Request): Promise<void> {
    switch (asked.type) {
      case "watch":
        return this.#watches.watch(this.#labs.lab(asked.lab).id, asked.from ?? {});
      case "unwatch":
        return this.#watches.unwatch(asked.lab);
      case "run": {
        const { type: _, lab, ...body } = asked;
        const run = await this.#labs.startProgram(lab, body, this.#name);
        if (body.pace) this.#drives.add(run.id);
        // The page may have closed meanwhile: a page that is gone would drive the run for ever.
        if (this.#closed) run.pacer?.onDisconnect(this.#name);
        return;
      }
      case "check": {
        const { type: _, lab, ...body } = asked;
        await this.#labs.startCheck(lab, body);
        return;
      }
      case "stop":
        return this.#labs.run(asked.run).stop();
      case "sample":
        return this.#watches.sample(asked.run, asked.everyMs);
      case "pace":
        return void (await this.#driving(asked.run).change(this.#name, asked.pace));
      case "step":
        return void (await this.#driving(asked.run).step(this.#name, asked.step));
      case "drive":
        return void this.#driving(asked.run).drive(this.#name);
      case "ack":
        return this.#watches.window.acknowledge(asked.run, asked.seq);
    }
  }

  #driving(run: RunId): Pacer {
    const pacer = this.#labs.pacer(run);
    this.#drives.add(run);
    return pacer;
  }

  #send(message: Message): void {
    this.#write(JSON.stringify(message));
  }

  #write(text: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
  }

  #end(): void {
    this.#closed = true;
    // The pace of what it drove stays as it is; the next page or shell that asks drives.
    for (const run of this.#drives) this.#labs.runs.get(run)?.pacer?.onDisconnect(this.#name);
    for (const off of this.#unsubscribe) off();
    this.#watches.close();
  }
}

/** The type that the page gave its request, for the answer to a request that does not fit. */
function typeOf(value: unknown): string | undefined {
  const type =
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(value, "type") &&
    (value as { type: unknown }).type;
  return typeof type === "string" ? type.slice(0, 40) : undefined;
}

/** A lab that the page watches. */
interface Watch {
  close(): void;
  /** The next seq that the page wants of runs that it knows already. */
  from: Record<RunId, number>;
  /** Ends the reader of each run. */
  readers: Map<RunId, AbortController>;
}

/** The labs that one page watches, with the events of their newest runs, and the runs whose kernel samples it wants. */
class Watches {
  readonly window = new FlowWindow(limits.windowBytes);
  readonly #labs: Labs;
  /** One message to the page, as JSON. */
  readonly #send: (text: string) => void;
  readonly #watches = new Map<LabId, Watch>();
  /** Ends the samples of each run that the page wants samples of. */
  readonly #samples = new Map<RunId, () => void>();
  /** The seq after the last event that was sent of each run. */
  readonly #sent = new Map<RunId, number>();
  readonly #clock: NodeJS.Timeout;

  constructor(labs: Labs, send: (text: string) => void) {
    this.#labs = labs;
    this.#send = send;
    // After what has come meanwhile: a program's wake-up may wait to be read since before the timer.
    this.#clock = setInterval(() => setImmediate(() => this.#sendClocks()), clockEveryMs).unref();
  }

  has(lab: LabId): boolean {
    return this.#watches.has(lab);
  }

  /** From now on the page gets a sample of this run every so many milliseconds; 0 for no more. */
  sample(id: RunId, everyMs: number): void {
    this.#samples.get(id)?.();
    this.#samples.delete(id);
    const { kernel } = this.#labs.run(id);
    if (everyMs > 0 && kernel) this.#samples.set(id, kernel.want(everyMs));
  }

  /** From now on the page gets the state of this lab and the events of its runs. @param from the next seq wanted of runs */
  async watch(lab: LabId, from: Record<RunId, number>): Promise<void> {
    this.unwatch(lab);
    const watch = { close: this.#labs.runs.open(lab), from, readers: new Map() };
    this.#watches.set(lab, watch);
    this.update(lab);
    // Only now: a workspace that cannot be written is a problem, but the page sees what runs all the same.
    await this.#labs.workspace.ensure(lab);
  }

  unwatch(lab: LabId): void {
    const watch = this.#watches.get(lab);
    for (const run of watch?.readers.keys() ?? []) this.#leave(run, watch!);
    this.#watches.delete(lab);
    watch?.close();
  }

  /** Sends the state of a lab, and then the events of runs that are new to this page. */
  update(lab: LabId): void {
    const watch = this.#watches.get(lab);
    if (!watch) return;
    const { program, check } = this.#labs.runs.current(lab);
    const current = [program, check].filter(run => run !== null);
    for (const run of watch.readers.keys())
      if (!current.some(({ id }) => id === run)) this.#leave(run, watch);
    const message: Message = { type: "lab", lab, ...this.#labs.current(lab) };
    this.#send(JSON.stringify(message));
    for (const run of current) if (!watch.readers.has(run.id)) this.#read(run, watch);
  }

  close(): void {
    clearInterval(this.#clock);
    for (const end of this.#samples.values()) end();
    for (const lab of [...this.#watches.keys()]) this.unwatch(lab);
  }

  #read(run: RunHandle, watch: Watch): void {
    const reader = new AbortController();
    watch.readers.set(run.id, reader);
    void this.#sendEvents(run, watch.from[run.id] ?? 0, reader.signal);
  }

  /** The page forgets a run that is no longer its lab's newest: it will not acknowledge the rest of it. */
  #leave(run: RunId, watch: Watch): void {
    watch.readers.get(run)?.abort();
    watch.readers.delete(run);
    this.#samples.get(run)?.();
    this.#samples.delete(run);
    this.#sent.delete(run);
    this.window.forget(run);
  }

  #sendClocks(): void {
    for (const [id, next] of this.#sent) {
      const run = this.#labs.runs.get(id);
      const clock = run ? runClock(run, next, this.#samples.has(id)) : null;
      if (clock) this.#send(JSON.stringify(clock));
    }
  }

  async #sendEvents(run: RunHandle, from: number, signal: AbortSignal): Promise<void> {
    for await (const { events, texts } of follow(run.log, from, batchBytes, signal)) {
      for (const [i, event] of events.entries()) {
        await this.window.room(signal);
        if (signal.aborted) return;
        const text = texts[i]!;
        this.window.sent(run.id, event.seq, text.length);
        this.#send(text);
        this.#sent.set(run.id, event.seq + 1);
      }
    }
  }
}

/**
 * What was sent to a page and not acknowledged. A page acknowledges by number, not by amount: after a gap amounts no
 * longer agree, and a page that counted bytes would wait for ever.
 */
class FlowWindow {
  readonly #limit: number;
  #inFlight = 0;
  readonly #sent = new Map<RunId, { seq: number; bytes: number }[]>();
  readonly #waiting = new Set<() => void>();

  /** @param limit bytes in flight; one event more than fits is let through, so that a large one can pass */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when there is room for another event, or when the signal ends the wait. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#inFlight >= this.#limit && !signal.aborted) {
      await new Promise<void>(resolve => {
        const done = () => {
          this.#waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener("abort", done);
      });
    }
  }

  sent(run: RunId, seq: number, bytes: number): void {
    const pending = this.#sent.get(run) ?? [];
    pending.push({ seq, bytes });
    this.#sent.set(run, pending);
    this.#inFlight += bytes;
  }

  /** The page has shown everything of this run up to and including seq. */
  acknowledge(run: RunId, seq: number): void {
    const pending = this.#sent.get(run) ?? [];
    let shown = 0;
    while (shown < pending.length && pending[shown]!.seq <= seq) this.#inFlight -= pending[shown++]!.bytes;
    pending.splice(0, shown);
    if (pending.length === 0) this.#sent.delete(run);
    this.#wake();
  }

  /** The page will acknowledge nothing more of this run. */
  forget(run: RunId): void {
    this.acknowledge(run, Number.POSITIVE_INFINITY);
  }

  #wake(): void {
    if (this.#inFlight < this.#limit) for (const wake of [...this.#waiting]) wake();
  }
}
