// Generator. The load generator's process, which is started once, so that it is warm, and gets job after job; and wrk, to
// compare it with: a generator that is slower than the servers would measure itself.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { adopt } from "./children.ts";
import { cpuMicros } from "./cpu.ts";
import type { Job, Result } from "./load.ts";

/** A process that takes a line and answers with a line. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;

  constructor(file: string, args: readonly string[] = []) {
    this.#name = file;
    this.#child = spawn(process.execPath, ["--expose-gc", join(import.meta.dirname, file), ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdin!.on("error", () => {}); // readLine() reports its end
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    adopt(this.#child);
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`);
    return this.readLine();
  }

  async readLine(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} ended before it answered; its words are above.`);
    return value;
  }

  end(): void {
    this.#child.stdin!.end();
    this.#child.kill("SIGKILL");
  }
}

export class Generator {
  readonly #process = new LineProcess("load.js");

  /** @throws Error with a sentence when the server answered wrongly: then there is no figure */
  async work(job: Job): Promise<Result> {
    const result = JSON.parse(await this.#process.ask(JSON.stringify(job))) as Result;
    if (result.wrong !== null) throw new Error(result.wrong);
    return result;
  }

  end(): void {
    this.#process.end();
  }
}

/** The same job done by wrk with one thread; it counts answers and does not look at them. */
export async function wrk(program: string, job: Job): Promise<Result> {
  const url = `http://127.0.0.1:${job.port}${job.target}`;
  const seconds = Math.max(1, Math.round(job.seconds));
  const before = cpuMicros(job.pids);
  const { stdout } = await promisify(execFile)(program, [
    "-t1",
    `-c${job.connections}`,
    `-d${seconds}s`,
    url,
  ]);
  const cpu = cpuMicros(job.pids) - before;
  const [, requests, took] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  if (requests === undefined) throw new Error(`wrk said: ${stdout}`);
  return { requests: Number(requests), seconds: Number(took), cpu, wrong: null };
}
