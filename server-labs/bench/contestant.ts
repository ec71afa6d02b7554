// Contestant. One server that is measured: it gets a port, is waited for, and is ended. Of its output only the end is kept,
// for the sentence that says why it did not start.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { processTree } from "../check.ts";
import { tcpSockets } from "../clients.ts";
import { freePort, KernelCalls } from "../kernel.ts";
import { createTraceMemory, type Observer, TraceReader } from "../trace.ts";
import { adopt } from "./children.ts";

/** A Node that loads koffi listens after 0.2 s; this is for a machine that does a hundred other things. */
const listenWithinMs = 15_000;

export interface Command {
  argv: string[];
  cwd: string;
  /** A program for the runtime's own entry: sent over the control socket, as the lab server does. */
  program?: { file: string; name: string };
  /** Traced: this process reads its calls as the lab server does. */
  traced?: boolean;
}

export class Contestant {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #reader: TraceReader | null;

  private constructor(port: number, child: ChildProcess, reader: TraceReader | null) {
    this.port = port;
    this.#child = child;
    this.#reader = reader;
  }

  /** @throws Error with a sentence and the program's last words when it does not listen */
  static async start(make: (port: number) => Command): Promise<Contestant> {
    const port = await freePort();
    const { argv, cwd, program, traced = false } = make(port);
    const memory = traced ? createTraceMemory() : null;
    const child = spawn(argv[0]!, argv.slice(1), {
      cwd,
      env: {
        ...process.env,
        ...(program ? { LAB_CONTROL_FD: "3" } : {}),
        ...(traced ? { LAB_TRACE_FD: "4" } : {}),
      },
      stdio: [
        "ignore",
        "pipe",
        "pipe",
        ...(program ? ["pipe" as const] : []),
        ...(memory === null ? [] : [memory]),
      ],
    });
    adopt(child);
    let words = "";
    let problem = "";
    child.on("error", error => {
      problem = `${argv[0]} cannot be started: ${error.message}`;
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.on("data", (chunk: Buffer) => {
        words = (words + chunk).slice(-1000);
      });
    const reader = memory === null ? null : new TraceReader(memory, performance.now(), () => {}, observer());
    const control = program ? (child.stdio[3] as Duplex) : null;
    control?.on("error", () => {}).on("data", () => reader?.wake());
    if (program) control!.write(`${JSON.stringify({ type: "program", ...program, args: [String(port)] })}\n`);
    const until = performance.now() + listenWithinMs;
    while (!listens(port)) {
      if (problem || child.exitCode !== null || performance.now() > until) {
        child.kill("SIGKILL");
        throw new Error(problem || `${argv.join(" ")} does not listen on port ${port}. It said: ${words}`);
      }
      await sleep(10);
    }
    return new Contestant(port, child, reader);
  }

  /** Itself and everything that it has started by now: nginx works in a child, which comes after it listens. */
  get pids(): number[] {
    return processTree(this.#child.pid!);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, "exit");
      // nginx's first process ends its worker when it is asked; the others are one process each.
      this.#child.kill(this.pids.length > 1 ? "SIGTERM" : "SIGKILL");
      await gone;
    }
    this.#reader?.close();
  }
}

/** Reads each call as the lab server does, so that this work is taken from the server and its clients. */
function observer(): Observer {
  const calls = new KernelCalls();
  return {
    see: (record, again) => calls.see(record, again),
    moved: (result, errno) => calls.moved(result, errno),
  };
}

/** Asks the kernel, not the server: a connection that comes and goes is more than some servers bear. */
function listens(port: number): boolean {
  return tcpSockets().some(row => row.state === "LISTEN" && row.localPort === port);
}
