// The program under test: one process that is started on a port, drained, stopped and continued, and ended.
// It is the student's TypeScript with its calls traced, or any command, of which only the kernel's view is known.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { createTraceMemory } from "../trace-memory.ts";
import type { StartFailure } from "./failure.ts";
import { packageRoot } from "./package-root.ts";
import { Printed } from "./printed.ts";
import { family, processState } from "./proc.ts";
import { Tracing } from "./tracing.ts";

/** What is to be tested. */
export type Subject =
  /** `module`: types stripped, ready to import. `name`: the file as the student knows it. */
  | { kind: "file"; module: string; name: string; cwd: string }
  /** A line for the shell in which {port} stands for the port. */
  | { kind: "command"; line: string; cwd: string }
  /** A file that cannot be run, and why. */
  | { kind: "unready"; failure: StartFailure };
export type Runnable = Exclude<Subject, { kind: "unready" }>;

const entry = join(packageRoot, "dist/server-labs/runtime/program.js");
/** The same heap that a run has: trust.md, "rlimits and V8". */
const nodeFlags = ["--max-old-space-size=256"];

/** Into a pipe Python prints in blocks of 8 KB unless told: what it said would be known too late. */
const unbuffered = { PYTHONUNBUFFERED: "1" };

/** Every program of this process that has not ended: none may outlive it. */
const living = new Set<Program>();

export class Program {
  readonly port: number;
  readonly printed = new Printed();
  tracing: Tracing | null = null;
  readonly #subject: Runnable;
  readonly #group: boolean;
  readonly #limit: number | undefined;
  #child!: ChildProcess;
  #ended: { code: number | null; signal: string | null } | null = null;
  #problem: Error | null = null;

  /** @param limit descriptors that it may have at most, from its start */
  constructor(subject: Runnable, port: number, limit?: number) {
    this.port = port;
    this.#subject = subject;
    this.#group = subject.kind === "command";
    this.#limit = limit;
    this.#start();
  }

  #start(): void {
    const [subject, port, limit] = [this.#subject, this.port, this.#limit];
    const argv =
      subject.kind === "file"
        ? [process.execPath, ...nodeFlags, entry]
        : ["/bin/sh", "-c", subject.line.replaceAll("{port}", String(port))];
    // Node raises its soft limit to the hard one when it starts, so that it is the hard one that must be set.
    const limited = limit === undefined ? [] : ["/bin/sh", "-c", `ulimit -n ${limit} && exec "$@"`, "sh"];
    const [file, ...args] = [...limited, ...argv] as [string, ...string[]];
    const memory = subject.kind === "file" ? createTraceMemory() : null;
    this.#child = spawn(file, args, {
      cwd: subject.cwd,
      // A command may be several processes: they are ended as a group. Our own program is one, and stays in our
      // group, so that whoever ends us with our group ends it too.
      detached: this.#group,
      stdio: memory === null ? ["ignore", "pipe", "pipe"] : ["ignore", "pipe", "pipe", "pipe", memory],
      env: { ...process.env, ...(memory === null ? unbuffered : { LAB_CONTROL_FD: "3", LAB_TRACE_FD: "4" }) },
    });
    if (memory !== null) this.tracing = new Tracing(memory);
    living.add(this);
    this.#child.on("error", error => {
      this.#problem = error;
      this.#end(null, null);
    });
    // "close" comes when the pipes are at their end too: what it printed last is known by then.
    this.#child.on("close", (code, signal) => this.#end(code, signal));
    this.printed.drain(this.#child.stdout as Readable);
    this.printed.drain(this.#child.stderr as Readable);
    if (subject.kind === "file") this.#command(subject);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The processes of this program; of a command, everything that it started. */
  pids(): number[] {
    return this.#group ? family(this.pid) : [this.pid];
  }

  /** It runs no more, though its last words may not have come yet. */
  get gone(): boolean {
    const state = processState(this.pid);
    return this.ended || state === null || state === "Z" || state === "X";
  }

  /** It is over, and everything that it printed is here. */
  get ended(): boolean {
    return this.#ended !== null;
  }

  /** How it ended, in words; "" while it lives. */
  get end(): string {
    if (this.#problem) return `could not be started: ${this.#problem.message}`;
    if (!this.#ended) return "";
    const { code, signal } = this.#ended;
    return signal ? `ended by ${signal}` : `exited with ${code}`;
  }

  /** SIGSTOP: it does nothing any more, while the kernel goes on to take connections and bytes for it. */
  stop(): void {
    this.#signal("SIGSTOP");
  }

  /** It has really stopped: the signal is delivered to a thread at a time. */
  get stopped(): boolean {
    return this.pids().every(pid => processState(pid) === "T");
  }

  continue(): void {
    this.#signal("SIGCONT");
  }

  /** Ends it for good. Nothing is asked of it: a check has seen what it wanted to see. */
  async kill(): Promise<void> {
    if (!this.#ended) {
      const gone = new Promise(resolve => this.#child.once("close", resolve));
      this.killNow();
      await gone;
    }
    this.tracing?.close();
  }

  /** Ends it for good, wherever it is, and starts it anew, with the same port. */
  async restart(): Promise<void> {
    await this.kill();
    this.#ended = null;
    this.#start();
  }

  killNow(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.pid === 0 || this.#ended) return;
    try {
      process.kill(this.#group ? -this.pid : this.pid, signal);
    } catch {
      // It has ended by itself in this moment.
    }
  }

  #end(code: number | null, signal: string | null): void {
    this.#ended ??= { code, signal };
    living.delete(this);
  }

  #command(subject: Subject & { kind: "file" }): void {
    const control = this.#child.stdio[3] as Duplex;
    control.on("error", () => {});
    // Its wakes are not needed: whoever waits looks at the trace every millisecond.
    control.resume();
    const { module: file, name } = subject;
    control.write(`${JSON.stringify({ type: "program", file, name, args: [String(this.port)] })}\n`);
  }
}

/** Ends every program at once; for whoever is about to end. */
export function killAll(): void {
  for (const program of living) program.killNow();
}
