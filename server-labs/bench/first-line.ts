// First line. Milliseconds from the start of a program to its first line: of a plain process, and of a lab server over its
// WebSocket, with the messages that the page's Run button sends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { WebSocket } from "ws";
import { freePort } from "../kernel.ts";
import { type Message, type Request, sentence, subprotocol } from "../protocol.ts";
import type { LabServer } from "./lab-server.ts";

/** The program, the same for all ways. It imports nothing, which favours the plain process. */
export const program = (typed: boolean) =>
  `const word${typed ? ": string" : ""} = "first line";\nconsole.log(word, process.pid, Date.now());\n`;

/** The time of a process that is a child of the bench. */
export async function ofProcess(argv: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), ended]);
  const took = performance.now() - began;
  const [code] = await ended;
  if (code !== 0) throw new Error(`${argv.join(" ")} exited with ${code}`);
  return took;
}

/** A page as the lab server sees one. */
export class BenchPage {
  readonly #socket: WebSocket;
  readonly #lab: string;
  #onMessage: (message: Message) => void = () => {};
  #onError: (error: Error) => void = () => {};
  #sandbox = "";

  private constructor(socket: WebSocket, lab: string) {
    this.#socket = socket;
    this.#lab = lab;
    socket.on("error", error => this.#onError(error));
    socket.on("message", data => {
      const message = JSON.parse(String(data)) as Message;
      if (message.type === "hello") this.#sandbox = message.sandbox.level;
      this.#onMessage(message);
    });
  }

  static async open(server: LabServer, lab: string): Promise<BenchPage> {
    const protocols = [subprotocol.version, subprotocol.tokenPrefix + server.token];
    const page = new BenchPage(new WebSocket(`ws://${server.link.host}/ws`, protocols), lab);
    const labKnown = page.#until(message => message.type === "lab");
    page.#socket.once("open", () => page.#send({ type: "watch", lab }));
    await labKnown;
    return page;
  }

  /** "bubblewrap" or "plain". */
  get sandbox(): string {
    return this.#sandbox;
  }

  /** Milliseconds from the request to the first output event. Resolves when the run has ended. */
  async firstLine(text: string): Promise<number> {
    const port = await freePort();
    let took = 0;
    const began = performance.now();
    const ended = this.#until(message => {
      if (message.type === "output" && took === 0) took = performance.now() - began;
      return message.type === "exited";
    });
    this.#send({ type: "run", lab: this.#lab, text, port });
    await ended;
    if (took === 0) throw new Error("the program ended before it printed");
    return took;
  }

  close(): void {
    this.#socket.terminate();
  }

  #send(request: Request): void {
    this.#socket.send(JSON.stringify(request));
  }

  #until(wanted: (message: Message) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onError = reject;
      this.#onMessage = message => {
        if (message.type === "refused" || message.type === "problem")
          reject(new Error(sentence(message.statement)));
        else if (wanted(message)) resolve();
      };
    });
  }
}
