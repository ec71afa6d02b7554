// Program. A run of the student's program: its types are blanked, its trace is read, and its trace says where it listens.
import { dirname, relative } from "node:path";
import type { EventBody } from "../events.ts";
import { KernelOfRun } from "../kernel.ts";
import type { ModuleText } from "../modules.ts";
import { Pacer, Wrapper } from "../pace.ts";
import { type Ending, flow, type Launched, processFacts, type Setting, type Spare } from "../process.ts";
import type { EndStatement, PaceBody } from "../protocol.ts";
import { type Listener, TraceReader } from "../trace.ts";
import { Visits, visitable } from "../visits.ts";
import { ListeningPlaces } from "./listening.ts";
import { endingStatement, type HowItEnded, type Part, type ProcessRun } from "./run.ts";
import { TasksOfRun } from "./tasks-of-run.ts";
import type { FolderUse } from "./watchdog.ts";

export interface ProgramOptions {
  run: ProcessRun;
  /** Gets a process for it. */
  take: () => Promise<Spare>;
  setting: Setting;
  /** Absolute path of the student's own file. */
  name: string;
  /** The files that it consists of, by absolute path; `name` is the first. */
  modules: Map<string, ModuleText>;
  /** Its arguments: for a server the port. */
  args: readonly string[];
  port: number;
  /** Measures the lab's folder. */
  folderUse(): Promise<FolderUse>;
  /** The pace at which it starts. */
  pace?: PaceBody;
}

/** Prepares a program: its process, its text, its trace. @throws Error with a sentence when it cannot have them */
export async function programPart(options: ProgramOptions): Promise<Part> {
  const { run, take, setting, name, args, port } = options;
  const pacer = new Pacer(pace => run.log.append({ type: "pace", ...pace }));
  pacer.start(options.pace ?? {});
  run.pacer = pacer;
  const [[, main], ...further] = [...options.modules] as [[string, ModuleText], ...[string, ModuleText][]];
  run.log.start();
  const spare = await take();
  let files: { file: string; modules?: string };
  try {
    files = { file: spare.folder.write("server.mjs", main.javascript) };
    if (further.length > 0)
      files.modules = spare.folder.write(
        "modules.json",
        JSON.stringify(Object.fromEntries(further.map(([path, { javascript }]) => [path, javascript]))),
      );
  } catch (error) {
    await spare.discard();
    throw error;
  }
  const watch = new Watch(
    run,
    pacer,
    spare.memory,
    port,
    relativeTo(name, [name, ...further.map(([path]) => path)]),
  );
  run.kernel = watch.kernel;
  run.tasks = watch.tasks;
  const where = async () => visitable(run, await watch.listening.now());
  run.visits = new Visits({ log: run.log, packageRoot: setting.packageRoot, where });
  return {
    command: [name.slice(name.lastIndexOf("/") + 1), ...args].join(" "),
    sandbox: setting.sandbox,
    folderUse: options.folderUse,
    start: () => spare.use(),
    attach: tree => watch.attach(tree, { type: "program", ...files, name, args, pace: pacer.firstCommand }),
    onTerminate: () => pacer.release(),
    finish(end) {
      run.visits?.close();
      return watch.finish(end);
    },
    async dispose() {
      run.visits?.close();
      // A page may have paced a program that then could not be started.
      pacer.end();
      watch.close();
      await spare.end();
    },
  };
}

const relativeTo = (name: string, paths: readonly string[]) =>
  paths.map(path => relative(dirname(name), path));

/** Reads the trace of one program, for its kernel samples, its listeners and its pacer. */
class Watch {
  readonly #pacer: Pacer;
  readonly #reader: TraceReader;
  readonly kernel: KernelOfRun;
  readonly tasks: TasksOfRun;
  #tree: Launched | null = null;
  readonly listening: ListeningPlaces;

  /** @param files the program's, the one that starts first */
  constructor(run: ProcessRun, pacer: Pacer, memory: number, port: number, files: readonly string[]) {
    this.#pacer = pacer;
    this.listening = new ListeningPlaces(run, port, {
      read: () => this.#reader.read(),
      lost: () => this.#reader.lost,
    });
    this.tasks = new TasksOfRun(run.log, () => this.#reader);
    this.kernel = new KernelOfRun({
      log: run.log,
      reader: () => this.#reader,
      pid: () => this.#tree?.program() ?? null,
      peek: fds => run.peek(fds),
      onLook: () => this.tasks.sample(),
    });
    const observer = {
      see: (record: Buffer, again: boolean) => this.kernel.see(record, again),
      moved: (result: number, errno: number) => this.kernel.moved(result, errno),
      looked: () => this.tasks.looked(),
      opened: (fd: number) => this.kernel.opened(fd),
      listening: (listener: Listener) => {
        this.kernel.listens(listener.fd);
        void this.listening.add(listener);
      },
    };
    const emit = (body: EventBody) => void run.log.append(body);
    this.#reader = new TraceReader(memory, run.log.startedAt, emit, observer, undefined, files);
  }

  attach(tree: Launched, command: object): void {
    this.#tree = tree;
    const [control] = tree.pipes;
    const reader = this.#reader;
    const wrapper = new Wrapper(control!, {
      raise: count => reader.memory.raise(count),
      onMessage: message => this.#pacer.onMessage(message),
      onLook: () => reader.wake(),
    });
    let started = false;
    const start = () => {
      if (!started) this.#start(tree, wrapper, command);
      started = true;
    };
    // A spare that has waited gets its command at once, before any page hears of the run.
    if (control!.readableLength > 0) start();
    flow(control!, (chunk: Buffer) => {
      start();
      wrapper.receive(chunk);
    });
  }

  /** Its first byte says that it waits for a command: the descriptors that it has open now are not the student's. */
  #start(tree: Launched, wrapper: Wrapper, command: object): void {
    const reader = this.#reader;
    this.kernel.start();
    this.listening.watch();
    tree.pipes[0]!.write(`${JSON.stringify(command)}\n`);
    // Only now: the first line that it reads must be the program.
    this.#pacer.attach({
      send: command => wrapper.send(command),
      peek: fds => wrapper.peek(fds),
      calls: () => reader.calls,
      call: n => reader.call(n),
      readTrace: () => reader.read(),
      busy: () => processFacts(tree.program() ?? 0)?.state === "R",
    });
  }

  async finish(end: HowItEnded): Promise<{ ending: Ending; statement: EndStatement }> {
    const { ending } = end;
    // Under bubblewrap exit(139) and SIGSEGV look alike; but a program that calls exit says so in the trace.
    const signal = ending.ambiguous && this.#reader.memory.exiting() ? null : ending.signal;
    const exact = { code: signal === null ? ending.code : null, signal, ambiguous: false };
    this.#pacer.end();
    this.close();
    const statement = endingStatement({ ...end, ending: exact });
    const held = await this.listening.stillHeld();
    return {
      ending: exact,
      statement: held ? { code: "port-still-held", ending: statement, ...held } : statement,
    };
  }

  close(): void {
    this.listening.close();
    this.kernel.close();
    // How its tasks were when it ended.
    this.tasks.sample();
    this.#reader.close();
  }
}
