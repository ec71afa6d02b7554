// One page at the other end of one WebSocket. It hears how a lab stands before any event of it, then events, at
// most a window of them ahead of what it has shown. It owns nothing but its own socket and its own readers: when
// the page goes away its runs live on, and another socket's late end cannot silence this one.
import type { WebSocket } from "ws";
import { fits, Refusal } from "./answers.ts";
import { follow } from "./follow.ts";
import type { Labs, Run } from "./labs.ts";
import type { Pacer } from "./pace.ts";
import {
  type LabId,
  limits,
  type Message,
  type Notice,
  type Request,
  type RunId,
  request,
} from "./protocol.ts";
import { Window } from "./window.ts";
import { WorkspaceError } from "./workspace.ts";

/** One message holds at most this much of JSON, so that a page can acknowledge before its window is full. */
const batchBytes = 64 * 1024;

export type Hello = Omit<Extract<Notice, { type: "hello" }>, "page">;

/** A lab that the page watches: ends its readers, and the seq from which it wants a run of which it has heard. */
interface Watch {
  close(): void;
  from: Record<RunId, number>;
  readers: Map<RunId, AbortController>;
}

export class Session {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #drives = new Set<RunId>();
  readonly #labs: Labs;
  readonly #watches = new Map<LabId, Watch>();
  /** Ends the samples of each run that this page looks into. */
  readonly #samples = new Map<RunId, () => void>();
  readonly #window = new Window(limits.windowBytes);
  readonly #unsubscribe: (() => void)[];

  /**
   * @param unexpected told of errors that are mistakes of the lab server
   * @param name what it is called as a driver: "page 3"
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
    this.#unsubscribe = [
      labs.runs.onChange(lab => this.#stands(lab)),
      labs.workspace.onChange((lab, file, etag) => {
        if (this.#watches.has(lab)) this.#send({ type: "file", lab, file, etag });
      }),
    ];
    socket.on("message", (data, isBinary) => void this.#hear(String(data), isBinary, unexpected));
    socket.on("error", () => {}); // a malformed frame: ws closes the socket by itself, with the code that says why
    socket.on("close", () => this.#end());
    this.#send({ ...hello, page: name });
  }

  async #hear(text: string, isBinary: boolean, unexpected: (error: unknown) => void): Promise<void> {
    let asked: string | undefined;
    try {
      if (isBinary) throw new Refusal(400, "Requests are text, one JSON object a message.");
      const value = parse(text);
      asked = typeOf(value);
      await this.#do(fits(request, value, "The request"));
    } catch (error) {
      const told = error instanceof Refusal || error instanceof WorkspaceError;
      if (!told) unexpected(error);
      const sentence = told
        ? error.message
        : "The lab server made a mistake of its own. Try again; your text is safe.";
      this.#send({ type: "problem", sentence, ...(asked === undefined ? {} : { request: asked }) });
    }
  }

  async #do(asked: Request): Promise<void> {
    switch (asked.type) {
      case "watch":
        return this.#watch(this.#labs.lab(asked.lab).id, asked.from ?? {});
      case "unwatch":
        return this.#unwatch(asked.lab);
      case "run": {
        const { type: _, lab, ...body } = asked;
        const run = await this.#labs.startProgram(lab, body, this.#name);
        if (body.pace) this.#drives.add(run.id);
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
        return this.#sample(asked.run, asked.everyMs);
      case "pace":
        return void (await this.#driving(asked.run).change(this.#name, asked.pace));
      case "step":
        return void (await this.#driving(asked.run).step(this.#name, asked.step));
      case "drive":
        return void this.#driving(asked.run).drive(this.#name);
      case "ack":
        return this.#window.acknowledge(asked.run, asked.seq);
    }
  }

  #sample(id: RunId, everyMs: number): void {
    this.#samples.get(id)?.();
    this.#samples.delete(id);
    const { kernel } = this.#labs.run(id);
    if (everyMs > 0 && kernel) this.#samples.set(id, kernel.want(everyMs));
  }

  #driving(run: RunId): Pacer {
    const pacer = this.#labs.pacer(run);
    this.#drives.add(run);
    return pacer;
  }

  async #watch(lab: LabId, from: Record<RunId, number>): Promise<void> {
    this.#unwatch(lab);
    const watch = { close: this.#labs.runs.open(lab), from, readers: new Map() };
    this.#watches.set(lab, watch);
    this.#stands(lab);
    // Only now: a workspace that cannot be written is a sentence, and no reason not to see what runs.
    await this.#labs.workspace.ensure(lab);
  }

  #unwatch(lab: LabId): void {
    const watch = this.#watches.get(lab);
    for (const run of watch?.readers.keys() ?? []) this.#leave(run, watch!);
    this.#watches.delete(lab);
    watch?.close();
  }

  /** How a lab stands: its runs, and then the events of those that are new to this page. */
  #stands(lab: LabId): void {
    const watch = this.#watches.get(lab);
    if (!watch) return;
    const { program, check } = this.#labs.runs.current(lab);
    const current = [program, check].filter(run => run !== null);
    for (const run of watch.readers.keys())
      if (!current.some(({ id }) => id === run)) this.#leave(run, watch);
    this.#send({ type: "lab", lab, ...this.#labs.current(lab) });
    for (const run of current) if (!watch.readers.has(run.id)) this.#read(run, watch);
  }

  #read(run: Run, watch: Watch): void {
    const reader = new AbortController();
    watch.readers.set(run.id, reader);
    void this.#tell(run, watch.from[run.id] ?? 0, reader.signal);
  }

  /** The page forgets a run that is no longer its lab's newest: what it did not acknowledge, it never will. */
  #leave(run: RunId, watch: Watch): void {
    watch.readers.get(run)?.abort();
    watch.readers.delete(run);
    this.#samples.get(run)?.();
    this.#samples.delete(run);
    this.#window.forget(run);
  }

  async #tell(run: Run, from: number, signal: AbortSignal): Promise<void> {
    for await (const events of follow(run.log, from, batchBytes, signal)) {
      for (const event of events) {
        await this.#window.room(signal);
        if (signal.aborted) return;
        const text = JSON.stringify(event);
        this.#window.sent(run.id, event.seq, text.length);
        this.#socket.send(text);
      }
    }
  }

  #send(message: Message): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #end(): void {
    // What it drove stays as it is; whoever asks next drives.
    for (const run of this.#drives) this.#labs.runs.get(run)?.pacer?.left(this.#name);
    for (const off of this.#unsubscribe) off();
    for (const end of this.#samples.values()) end();
    for (const lab of [...this.#watches.keys()]) this.#unwatch(lab);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `The request is not JSON: ${(error as Error).message}.`);
  }
}

/** What the page believes to have asked, for the sentence that answers it. */
function typeOf(value: unknown): string | undefined {
  const type =
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(value, "type") &&
    (value as { type: unknown }).type;
  return typeof type === "string" ? type.slice(0, 40) : undefined;
}
