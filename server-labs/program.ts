// A student's program as a run: its types blanked, its calls watched. What it listens on is read off the trace.
import { pathToFileURL } from "node:url";
import { flow } from "./held.ts";
import { KernelOfRun } from "./kernel/watch.ts";
import type { Launched } from "./launch.ts";
import { Listeners } from "./listeners.ts";
import { Listening } from "./listening.ts";
import { Pacer } from "./pace.ts";
import type { Ending } from "./process-tree.ts";
import { processFacts } from "./processes.ts";
import { limits, type PaceBody } from "./protocol.ts";
import type { Run } from "./run.ts";
import type { HowItEnded, Part } from "./run-part.ts";
import { endSentence } from "./sentences.ts";
import { heapMegabytes, type Setting, type Spare } from "./spare.ts";
import { TraceReader } from "./trace.ts";
import { visitable } from "./visitable.ts";
import { Visits } from "./visits.ts";
import { Wrapper } from "./wrapper.ts";

export interface ProgramOptions {
  run: Run;
  /** Gets it a process. */
  take: () => Promise<Spare>;
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

/** Makes ready what a program needs to be started, or takes what is ready. */
export async function programPart(options: ProgramOptions): Promise<Part> {
  const { run, take, setting, name, port } = options;
  const pacer = new Pacer(pace => run.log.append({ type: "pace", ...pace }));
  pacer.begin(options.pace ?? {});
  run.pacer = pacer;
  // A blank line keeps a comment that ends the text from swallowing the name.
  const text = `${options.javascript}\n//# sourceURL=${pathToFileURL(name)}\n`;
  run.log.begin();
  const spare = await take();
  let file: string;
  try {
    file = spare.folder.write("server.mjs", text);
  } catch (error) {
    await spare.discard();
    throw error;
  }
  const watch = new Watch(run, pacer, spare.memory, port);
  run.kernel = watch.kernel;
  const where = () => visitable(run, watch.listening.places);
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
  readonly #pacer: Pacer;
  readonly #reader: TraceReader;
  readonly #listeners = new Listeners();
  readonly kernel: KernelOfRun;
  #tree: Launched | null = null;
  readonly listening: Listening;

  constructor(run: Run, pacer: Pacer, memory: number, port: number) {
    this.#pacer = pacer;
    this.listening = new Listening(run, port);
    this.kernel = new KernelOfRun({
      log: run.log,
      reader: () => this.#reader,
      pid: () => this.#tree?.program() ?? null,
      peek: fds => run.peek(fds),
    });
    this.#reader = new TraceReader(memory, run.log.began, body => run.log.append(body), {
      see: (record, again) => {
        this.kernel.see(record, again);
        const listener = this.#listeners.see(record);
        if (listener) void this.listening.begins(listener, this.#tree?.program() ?? null);
      },
      moved: (fd, result, errno) => this.kernel.moved(fd, result, errno),
    });
  }

  attach(tree: Launched, command: object): void {
    this.#tree = tree;
    const [control] = tree.pipes;
    const reader = this.#reader;
    const wrapper = new Wrapper(control!, {
      raise: count => reader.memory.raise(count),
      heard: says => this.#pacer.heard(says),
      look: () => reader.wake(),
    });
    let begun = false;
    const begin = () => {
      if (!begun) this.#begin(tree, wrapper, command);
      begun = true;
    };
    // One that has waited is told at once, before anybody is told of it.
    if (control!.readableLength > 0) begin();
    flow(control!, (chunk: Buffer) => {
      begin();
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
    const signal = ending.ambiguous && this.#reader.memory.exiting() ? null : ending.signal;
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
    return { ending: exact, sentence: sentence + (await this.listening.heldStill()) };
  }

  close(): void {
    this.kernel.close();
    this.#reader.close();
  }
}
