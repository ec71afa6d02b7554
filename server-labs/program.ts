// A student's program as a run: its types blanked, its calls watched. What it listens on is read off the trace.
import { pathToFileURL } from "node:url";
import { flow } from "./held.ts";
import type { Launched } from "./launch.ts";
import { type Listener, Listeners } from "./listeners.ts";
import { holderOf, listeningOn, untilFree } from "./ports.ts";
import type { Ending } from "./process-tree.ts";
import { limits } from "./protocol.ts";
import type { HowItEnded, Part, Run } from "./run.ts";
import { endSentence, listeningSentence } from "./sentences.ts";
import { heapMegabytes, type Setting } from "./spare.ts";
import type { Spares } from "./spares.ts";
import { TraceReader } from "./trace.ts";
import { visitable } from "./visitable.ts";
import { Visits } from "./visits.ts";

export interface ProgramOptions {
  run: Run;
  spares: Spares;
  setting: Setting;
  /** Absolute path of the student's own file. */
  name: string;
  javascript: string;
  port: number;
}

/** A program that listens here and there without end; the first of them say enough. */
const mostListening = 64;
const freeMs = 1000;

/** Makes ready what a program needs to be started, or takes what is ready. */
export async function programPart(options: ProgramOptions): Promise<Part> {
  const { run, spares, setting, name, port } = options;
  // A blank line keeps a comment that ends the text from swallowing the name.
  const text = `${options.javascript}\n//# sourceURL=${pathToFileURL(name)}\n`;
  run.log.begin();
  const spare = await spares.take(setting);
  let file: string;
  try {
    file = await spare.folder.write("server.mjs", text);
  } catch (error) {
    await spare.discard();
    throw error;
  }
  const watch = new Watch(run, spare.memory, port);
  const where = () => visitable(run, watch.listening);
  run.visits = new Visits({ log: run.log, packageRoot: setting.packageRoot, where });
  return {
    command: `${name.slice(name.lastIndexOf("/") + 1)} ${port}`,
    sandbox: setting.sandbox,
    start: () => spare.use(),
    attach: tree => watch.attach(tree, { type: "program", file, name, args: [String(port)] }),
    finish(end) {
      run.visits?.close();
      return watch.finish(end);
    },
    async dispose() {
      run.visits?.close();
      watch.close();
      await spare.end();
    },
  };
}

/** Reads the trace of one program, and says where it listens. */
class Watch {
  readonly #run: Run;
  readonly #port: number;
  readonly #reader: TraceReader;
  readonly #listeners = new Listeners();
  #tree: Launched | null = null;
  /** "host:port" of each listening event. */
  readonly #said = new Set<string>();
  readonly #ports = new Set<number>();
  /** Where it has said that it listens, in order. */
  readonly listening: { host: string; port: number }[] = [];

  constructor(run: Run, memory: number, port: number) {
    this.#run = run;
    this.#port = port;
    this.#reader = new TraceReader(
      memory,
      run.log.began,
      body => run.log.append(body),
      record => {
        const listener = this.#listeners.see(record);
        if (listener) void this.#listens(listener);
      },
    );
  }

  attach(tree: Launched, command: object): void {
    this.#tree = tree;
    const [control] = tree.pipes;
    flow(control!, () => this.#reader.wake());
    control!.write(`${JSON.stringify(command)}\n`);
  }

  async finish({
    ending,
    stopped,
    killed,
    lastWords,
  }: HowItEnded): Promise<{ ending: Ending; sentence: string }> {
    // Under bubblewrap exit(139) and SIGSEGV look alike; but one who calls exit says so in the trace.
    const signal = ending.ambiguous && this.#reader.exiting ? null : ending.signal;
    const code = signal === null ? ending.code : null;
    const exact = { code, signal, ambiguous: false };
    this.close();
    const sentence = endSentence({
      ending: exact,
      stopped,
      killed,
      lastWords,
      heapMegabytes,
      graceMs: limits.graceMs,
    });
    return { ending: exact, sentence: sentence + (await this.#heldStill()) };
  }

  close(): void {
    this.#reader.close();
  }

  /** Its ports are free when it is gone; at level "plain" a process that escaped may still hold one. */
  async #heldStill(): Promise<string> {
    const ports = new Set([...this.#ports, ...(this.#port > 0 ? [this.#port] : [])]);
    if (await untilFree(ports, freeMs)) return "";
    for (const port of ports) {
      const holder = await holderOf(port);
      if (holder) return `; port ${port} is held by ${holder.command} (pid ${holder.pid})`;
    }
    return "";
  }

  async #listens(listener: Listener): Promise<void> {
    let { host, port } = listener;
    if (port === 0) {
      const pid = this.#tree?.program();
      const found = pid ? await listeningOn(pid, listener.fd).catch(() => null) : null;
      if (!found) return;
      ({ host, port } = found);
    }
    const key = `${host}:${port}`;
    if (this.#run.log.ended || this.#said.has(key) || this.#said.size >= mostListening) return;
    this.#said.add(key);
    this.#ports.add(port);
    this.listening.push({ host, port });
    this.#run.log.append({ type: "listening", host, port, url: urlOf(host, port) });
    this.#run.become("listening", listeningSentence([...this.#ports], this.#port));
  }
}

/** How this machine's browser and curl reach it. */
function urlOf(host: string, port: number): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}/`;
}
