// A student's program as a run: its types blanked, its calls watched. What it listens on is read off the trace.
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { flow } from "./held.ts";
import type { Launched, LaunchOptions } from "./launch.ts";
import { type Listener, Listeners } from "./listeners.ts";
import { holderOf, listeningOn, untilFree } from "./ports.ts";
import type { Ending } from "./process-tree.ts";
import { limits } from "./protocol.ts";
import type { HowItEnded, Part, Run } from "./run.ts";
import type { RunFolder } from "./run-folder.ts";
import { packageParts, type SandboxLevel } from "./sandbox.ts";
import { endSentence, listeningSentence } from "./sentences.ts";
import { createTraceMemory, TraceReader } from "./trace.ts";

export interface ProgramOptions {
  run: Run;
  sandbox: SandboxLevel;
  packageRoot: string;
  folder: RunFolder;
  /** The lab's folder in the workspace: where it runs, and the only place that it may change. */
  workspace: string;
  /** Absolute path of the student's own file. */
  name: string;
  javascript: string;
  port: number;
  descriptors?: number;
  mark: string;
}

export const heapMegabytes = 256;
const defaultDescriptors = 4096;
/** A program that listens here and there without end; the first of them say enough. */
const mostListening = 64;
const freeMs = 1000;

/** Makes ready what a program needs to be started. */
export async function programPart(options: ProgramOptions): Promise<Part> {
  const { run, folder, name, port, sandbox, packageRoot, mark } = options;
  // A blank line keeps a comment that ends the text from swallowing the name.
  const text = `${options.javascript}\n//# sourceURL=${pathToFileURL(name)}\n`;
  const file = await folder.write("server.mjs", text);
  run.log.begin();
  const memory = createTraceMemory();
  const root = realpathSync(packageRoot);
  const cwd = realpathSync(options.workspace);
  const entry = join(root, "dist", "server-labs", "runtime", "program.js");
  const launch: LaunchOptions = {
    sandbox,
    command: [realpathSync(process.execPath), `--max-old-space-size=${heapMegabytes}`, entry],
    reach: {
      cwd,
      readable: [...packageParts(root), folder.path],
      writable: [cwd],
      descriptors: options.descriptors ?? defaultDescriptors,
    },
    variables: { LAB_CONTROL_FD: "3", LAB_TRACE_FD: "4" },
    mark,
    descriptors: ["pipe", memory],
  };
  const watch = new Watch(run, memory, port);
  return {
    command: `${name.slice(name.lastIndexOf("/") + 1)} ${port}`,
    launch,
    attach: tree => watch.attach(tree, { type: "program", file, name, args: [String(port)] }),
    finish: end => watch.finish(end),
    async dispose() {
      watch.close();
      await folder.remove();
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
    this.#run.log.append({ type: "listening", host, port, url: urlOf(host, port) });
    this.#run.become("listening", listeningSentence([...this.#ports], this.#port));
  }
}

/** How this machine's browser and curl reach it. */
function urlOf(host: string, port: number): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}/`;
}
