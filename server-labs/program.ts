// A student's program as a run: its types blanked, its calls watched. What it listens on is read off the trace.
import { pathToFileURL } from "node:url";
import { flow } from "./held.ts";
import { KernelOfRun } from "./kernel/watch.ts";
import type { Launched } from "./launch.ts";
import { type Listener, Listeners } from "./listeners.ts";
import { Pacer } from "./pace.ts";
import { holderOf, listeningOn, untilFree } from "./ports.ts";
import type { Ending } from "./process-tree.ts";
import { processFacts } from "./processes.ts";
import { limits, type PaceBody } from "./protocol.ts";
import type { Run } from "./run.ts";
import type { HowItEnded, Part } from "./run-part.ts";
import { endSentence, listeningSentence } from "./sentences.ts";
import { heapMegabytes, type Setting } from "./spare.ts";
import type { Spares } from "./spares.ts";
import { TraceReader } from "./trace.ts";
import { visitable } from "./visitable.ts";
import { Visits } from "./visits.ts";
import { Wrapper } from "./wrapper.ts";

export interface ProgramOptions {
  run: Run;
  spares: Spares;
  setting: Setting;
  /** Absolute path of the student's own file. */
  name: string;
  javascript: string;
  /** Of the text that the student wrote. */
  etag: string;
  port: number;
  /** How it begins. */
  pace?: PaceBody;
}

/** A program that listens here and there without end; the first of them say enough. */
const mostListening = 64;
const freeMs = 1000;

/** Makes ready what a program needs to be started, or takes what is ready. */
export async function programPart(options: ProgramOptions): Promise<Part> {
  const { run, spares, setting, name, port } = options;
  const pacer = new Pacer(pace => run.log.append({ type: "pace", ...pace }));
  pacer.begin(options.pace ?? {});
  run.pacer = pacer;
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
  const watch = new Watch(run, pacer, spare.memory, port);
  run.kernel = watch.kernel;
  const where = () => visitable(run, watch.listening);
  run.visits = new Visits({ log: run.log, packageRoot: setting.packageRoot, where });
  return {
    command: `${name.slice(name.lastIndexOf("/") + 1)} ${port}`,
    sandbox: setting.sandbox,
    etag: options.etag,
    start: () => spare.use(),
    attach: tree =>
      watch.attach(tree, { type: "program", file, name, args: [String(port)], pace: pacer.first }),
    terminating: () => pacer.release(),
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
  readonly #pacer: Pacer;
  readonly #port: number;
  readonly #reader: TraceReader;
  readonly #listeners = new Listeners();
  readonly kernel: KernelOfRun;
  #tree: Launched | null = null;
  /** "host:port" of each listening event. */
  readonly #said = new Set<string>();
  readonly #ports = new Set<number>();
  /** Where it has said that it listens, in order. */
  readonly listening: { host: string; port: number }[] = [];

  constructor(run: Run, pacer: Pacer, memory: number, port: number) {
    this.#run = run;
    this.#pacer = pacer;
    this.#port = port;
    this.kernel = new KernelOfRun({
      log: run.log,
      reader: () => this.#reader,
      pid: () => this.#tree?.program() ?? null,
      peek: fds => run.peek(fds),
    });
    this.#reader = new TraceReader(
      memory,
      run.log.began,
      body => run.log.append(body),
      (record, again) => {
        this.kernel.see(record, again);
        const listener = this.#listeners.see(record);
        if (listener) void this.#listens(listener);
      },
    );
  }

  attach(tree: Launched, command: object): void {
    this.#tree = tree;
    const [control] = tree.pipes;
    const reader = this.#reader;
    const wrapper = new Wrapper(control!, {
      raise: count => reader.raise(count),
      heard: says => this.#pacer.heard(says),
      look: () => reader.wake(),
    });
    let begun = false;
    flow(control!, (chunk: Buffer) => {
      if (!begun) {
        begun = true;
        this.#begin(tree, wrapper, command);
      }
      wrapper.hear(chunk);
    });
  }

  /** Its first word says that it waits for a command: what it has open now is not the student's. */
  #begin(tree: Launched, wrapper: Wrapper, command: object): void {
    const reader = this.#reader;
    this.kernel.begin();
    tree.pipes[0]!.write(`${JSON.stringify(command)}\n`);
    // Only now: the first line that it reads must be the program.
    this.#pacer.attach({
      say: command => wrapper.say(command),
      peek: fds => wrapper.peek(fds),
      calls: () => reader.calls,
      call: n => reader.call(n),
      look: () => reader.read(),
      busy: () => processFacts(tree.program() ?? 0)?.state === "R",
    });
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
    this.#pacer.end();
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
    this.kernel.close();
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
