// One page at the other end of one WebSocket. It hears how a lab stands before any event of it, then events, at
// most a window of them ahead of what it has shown. It owns nothing but its own socket and its own readers: when
// the page goes away its runs live on, and another socket's late end cannot silence this one.
import type { WebSocket } from "ws";
import { fits, Refusal } from "./answers.ts";
import type { Labs } from "./labs.ts";
import type { Pacer } from "./pace.ts";
import { type Message, type Notice, type Request, type RunId, request } from "./protocol.ts";
import { Watches } from "./watches.ts";
import { WorkspaceError } from "./workspace.ts";

export type Hello = Omit<Extract<Notice, { type: "hello" }>, "page">;

export class Session {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #drives = new Set<RunId>();
  readonly #labs: Labs;
  readonly #watches: Watches;
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
    this.#watches = new Watches(labs, text => this.#write(text));
    this.#unsubscribe = [
      labs.runs.onChange(lab => this.#watches.stands(lab)),
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
        return this.#watches.watch(this.#labs.lab(asked.lab).id, asked.from ?? {});
      case "unwatch":
        return this.#watches.unwatch(asked.lab);
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
    // What it drove stays as it is; whoever asks next drives.
    for (const run of this.#drives) this.#labs.runs.get(run)?.pacer?.left(this.#name);
    for (const off of this.#unsubscribe) off();
    this.#watches.close();
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
