// From "run it" to the first line that it prints, in milliseconds: by a plain process, and by a lab server over its
// WebSocket, with the very messages that the page's Run button sends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { WebSocket } from "ws";
import { freePort } from "../check/start.ts";
import { type Message, type Request, subprotocol } from "../protocol.ts";
import type { LabServer } from "./lab-server.ts";

/** What is run: the same for all. It imports nothing, which favours the plain process. */
export const program = (typed: boolean) =>
  `const word${typed ? ": string" : ""} = "first line";\nconsole.log(word, process.pid, Date.now());\n`;

/** Of a process that is started here. */
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
export class Page {
  readonly #socket: WebSocket;
  readonly #lab: string;
  #heard: (message: Message) => void = () => {};
  #failed: (error: Error) => void = () => {};
  #sandbox = "";

  private constructor(socket: WebSocket, lab: string) {
    this.#socket = socket;
    this.#lab = lab;
    socket.on("error", error => this.#failed(error));
    socket.on("message", data => {
      const message = JSON.parse(String(data)) as Message;
      if (message.type === "hello") this.#sandbox = message.sandbox.level;
      this.#heard(message);
    });
  }

  static async open(server: LabServer, lab: string): Promise<Page> {
    const protocols = [subprotocol.version, subprotocol.tokenPrefix + server.token];
    const page = new Page(new WebSocket(`ws://${server.link.host}/ws`, protocols), lab);
    const stands = page.#until(message => message.type === "lab");
    page.#socket.once("open", () => page.#say({ type: "watch", lab }));
    await stands;
    return page;
  }

  /** "bubblewrap" or "plain". */
  get sandbox(): string {
    return this.#sandbox;
  }

  /** Milliseconds from the request to the first output event. Resolves when the run has ended. */
  async firstLine(text: string): Promise<number> {
    const port = freePort();
    let took = 0;
    const began = performance.now();
    const ended = this.#until(message => {
      if (message.type === "output" && took === 0) took = performance.now() - began;
      return message.type === "exited";
    });
    this.#say({ type: "run", lab: this.#lab, text, port });
    await ended;
    if (took === 0) throw new Error("the program ended before it printed");
    return took;
  }

  close(): void {
    this.#socket.terminate();
  }

  #say(request: Request): void {
    this.#socket.send(JSON.stringify(request));
  }

  #until(wanted: (message: Message) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      this.#heard = message => {
        if (message.type === "refused" || message.type === "problem") reject(new Error(message.sentence));
        else if (wanted(message)) resolve();
      };
    });
  }
}
