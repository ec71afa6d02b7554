// Server process. The program under test: started on a port, its output read, stopped, continued, and ended. It is the
// student's TypeScript with its system calls traced, or any command, of which only the kernel's view is known.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { programFlags } from "../lib/node-flags.ts";
import { packageRoot } from "../lib/package-root.ts";
import { isAlive } from "../process.ts";
import { createTraceMemory } from "../trace.ts";
import { MemoryMeter } from "./memory-meter.ts";
import type { StartFailure } from "./outcome.ts";
import { processTree, runState } from "./proc.ts";
import { OutputBuffer } from "./server-output.ts";
import { Tracing } from "./tracing.ts";

/** A program that is ready to run. */
export interface ReadyProgram {
  /** Absolute path of its JavaScript, and of a JSON file with that of its own modules; none has `modules` left out. */
  file: string;
  modules?: string;
  /** Absolute path under which it runs: the author's file. */
  name: string;
  /** Its files as its folder names them, the one that starts first. */
  files: readonly string[];
}

/** The program to be tested. */
export type Subject =
  | ({ kind: "file"; cwd: string } & ReadyProgram)
  /** A shell command; {port} is replaced by the port. */
  | {
      kind: "command";
      line: string;
      cwd: string;
      /** It always runs in a temporary folder, which has links to what is in `cwd`. */
      apart?: boolean;
      /** The PATH on which the shell finds programs; that of this process when it is left out. */
      path?: string;
    }
  /** A file that cannot be run, and the reason. */
  | { kind: "unready"; failure: StartFailure };
export type Runnable = Exclude<Subject, { kind: "unready" }>;

const entry = join(packageRoot, "dist/server-labs/runtime/program.js");

/** Python prints into a pipe in blocks of 8 KB by default: its output would come too late. */
const unbuffered = { PYTHONUNBUFFERED: "1" };

/** A process that the kernel cannot interrupt does not end: it is waited for no longer than this. */
const mostEndMs = 5000;

/** All programs under test that run: each must end before this process ends. */
const running = new Set<ServerProcess>();

export class ServerProcess {
  port: number;
  readonly output = new OutputBuffer();
  tracing: Tracing | null = null;
  /** Null for a command, and where the calls cannot be seen. */
  meter: MemoryMeter | null = null;
  readonly #subject: Runnable;
  readonly #group: boolean;
  /** Its children are looked at, too. */
  #tree: boolean;
  readonly #limit: number | undefined;
  /** Processes and threads of its own may serve, whose calls cannot be seen. */
  readonly hasWorkers: boolean;
  #child!: ChildProcess;
  #ended: { code: number | null; signal: string | null } | null = null;
  #problem: Error | null = null;
  /** It was asked to end: its end is no failure. */
  mayEnd = false;

  /**
   * @param limits descriptors that it may have at most, from its start
   * @param limits.workers its children belong to it, from its start
   */
  constructor(
    subject: Runnable,
    port: number,
    {
      descriptors,
      workers = false,
    }: { descriptors?: number | undefined; workers?: boolean | undefined } = {},
  ) {
    this.port = port;
    this.#subject = subject;
    this.#group = subject.kind === "command";
    this.#tree = this.#group || workers;
    this.#limit = descriptors;
    this.hasWorkers = workers;
    this.#start();
  }

  #start(): void {
    const [subject, port, limit] = [this.#subject, this.port, this.#limit];
    const argv =
      subject.kind === "file"
        ? [process.execPath, ...programFlags, entry]
        : ["/bin/sh", "-c", subject.line.replaceAll("{port}", String(port))];
    // Node raises its soft limit to the hard one when it starts, so that it is the hard one that must be set.
    const limited = limit === undefined ? [] : ["/bin/sh", "-c", `ulimit -n ${limit} && exec "$@"`, "sh"];
    const [file, ...args] = [...limited, ...argv] as [string, ...string[]];
    const memory = subject.kind === "file" ? createTraceMemory() : null;
    const path = subject.kind === "command" && subject.path ? { PATH: subject.path } : {};
    this.#child = spawn(file, args, {
      cwd: subject.cwd,
      // A command may start several processes, which are ended as a group. A student's program seldom does, and stays in
      // the group of this process, so that a signal to that group ends it too.
      detached: this.#group,
      stdio: memory === null ? ["ignore", "pipe", "pipe"] : ["ignore", "pipe", "pipe", "pipe", memory],
      env: {
        ...process.env,
        ...path,
        ...(memory === null ? unbuffered : { LAB_CONTROL_FD: "3", LAB_TRACE_FD: "4" }),
      },
    });
    if (memory !== null) this.tracing = new Tracing(memory, this.files);
    running.add(this);
    this.#child.on("error", error => {
      this.#problem = error;
      this.#end(null, null);
    });
    // "close" comes when the pipes are at their end too: all output is known by then.
    this.#child.on("close", (code, signal) => this.#end(code, signal));
    this.output.drain(this.#child.stdout as Readable);
    this.output.drain(this.#child.stderr as Readable);
    if (subject.kind === "file") this.#sendCommand(subject);
  }

  /** Its files, the one that starts first; none of a command. */
  get files(): readonly string[] {
    return this.#subject.kind === "file" ? this.#subject.files : [];
  }

  /** A rival on the scoreboard: any program, of any number of processes. */
  get isRival(): boolean {
    return this.#subject.kind === "command" && this.#subject.apart === true;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The processes of this program: with all that it started where it is a command, or where a child may be the server. */
  pids(): number[] {
    if (!this.#tree) return [this.pid];
    // A child that has ended, and that its parent has not waited for, holds nothing and does not sleep.
    return processTree(this.pid).filter((pid, i) => i === 0 || isAlive(pid));
  }

  /** A child is the server: from now on its children count as this program. */
  includeChildren(): void {
    this.#tree = true;
  }

  /** What listens is not what is traced: its calls cannot be seen. */
  leaveTrace(): void {
    this.tracing?.close();
    this.tracing = null;
    this.meter = null;
  }

  /** It has ended, though its last output may not have been read yet. */
  get gone(): boolean {
    return this.ended || !isAlive(this.pid);
  }

  /** It has ended, and everything that it printed has been read. */
  get ended(): boolean {
    return this.#ended !== null;
  }

  /** How it ended: "exited with 1", "ended by SIGSEGV"; "" while it lives. */
  get end(): string {
    if (this.#problem) return `could not be started: ${this.#problem.message}`;
    if (!this.#ended) return "";
    const { code, signal } = this.#ended;
    return signal ? `ended by ${signal}` : `exited with ${code}`;
  }

  /** Stops it (SIGSTOP): the kernel goes on to accept connections and bytes for it. */
  stop(): void {
    this.#signal("SIGSTOP");
  }

  /** All its processes have stopped: a signal takes time to arrive. */
  get stopped(): boolean {
    return this.pids().every(pid => runState(pid) === "T");
  }

  continue(): void {
    this.#signal("SIGCONT");
  }

  /**
   * Asks it to end (SIGTERM), as the lab server's Stop does: the program itself, and not the shell or the processes that
   * it has started. From now on its end is no failure.
   */
  terminate(): void {
    this.mayEnd = true;
    const pids = this.pids();
    const program =
      this.#group && pids.length > 1 ? pids.filter(pid => pid !== this.pid).slice(0, 1) : [this.pid];
    this.#signal("SIGTERM", () => program, false);
  }

  /** It has ended, and was not asked to. */
  get endedUnasked(): boolean {
    return this.ended && !this.mayEnd;
  }

  /** The status that it has exited with, or the signal that has ended it; null while it lives. */
  get ending(): { status: number | null; signal: string | null } | null {
    return this.#ended && { status: this.#ended.code, signal: this.#ended.signal };
  }

  /** Ends it (SIGKILL), and waits for its end and for that of its children. */
  async kill(): Promise<void> {
    if (!this.#ended) {
      const gone = new Promise(resolve => this.#child.once("close", resolve));
      const pids = processTree(this.pid);
      this.killNow();
      await gone;
      // A process that ends closes its descriptors first, so that "close" may come while a child still ends. No event
      // tells of the end of a child's child.
      const until = performance.now() + mostEndMs;
      while (pids.some(pid => isAlive(pid)) && performance.now() < until) await sleep(1);
    }
    this.tracing?.close();
  }

  /** Ends it (SIGKILL), and starts it again, on the same port by default. */
  async restart(port = this.port): Promise<void> {
    await this.kill();
    this.port = port;
    this.#ended = null;
    this.mayEnd = false;
    this.#tree = this.#group || this.hasWorkers;
    this.#start();
  }

  killNow(): void {
    this.#signal("SIGKILL", () => processTree(this.pid));
  }

  #signal(signal: NodeJS.Signals, pids = () => this.pids(), group = this.#group): void {
    if (this.pid === 0 || this.#ended) return;
    for (const pid of group ? [-this.pid] : pids()) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended by itself meanwhile.
      }
    }
  }

  #end(code: number | null, signal: string | null): void {
    this.#ended ??= { code, signal };
    running.delete(this);
  }

  #sendCommand(subject: Subject & { kind: "file" }): void {
    const control = this.#child.stdio[3] as Duplex;
    control.on("error", () => {});
    // The wake-ups that the program sends are not needed: a poller reads the trace every millisecond.
    this.meter = new MemoryMeter(control, count => this.tracing?.raise(count));
    const { file, modules, name } = subject;
    control.write(`${JSON.stringify({ type: "program", file, modules, name, args: [String(this.port)] })}\n`);
  }
}

/** Ends every program under test at once, before this process ends. */
export function killAll(): void {
  for (const program of running) program.killNow();
}
