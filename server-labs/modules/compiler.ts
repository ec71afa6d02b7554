// Compiler. Blanks types in a process of its own, which ends when there has been nothing to blank for a minute, and is
// started again when there is: the TypeScript compiler takes 50 MB, of which a thread that has ended leaves 35 MB behind.
import { type ChildProcess, fork } from "node:child_process";
import { extname, join } from "node:path";
import type { CompilerAnswer, CompilerRequest } from "./compiler-main.ts";
import type { Stripped, StripTypes } from "./strip.ts";

const idleMs = 60_000;
/** A text on which this many processes ended is given up. */
const mostDeaths = 2;

const closed = "The compiler was closed.";

interface Waiting {
  file: string;
  text: string;
  deaths: number;
  resolve(stripped: Stripped): void;
  reject(error: Error): void;
}

export class Compiler {
  readonly #idleMs: number;
  #child: ChildProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;
  #asked = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** @param idle after so many milliseconds without a text its process ends */
  constructor(idle = idleMs) {
    this.#idleMs = idle;
  }

  /** Does what strip() does. @throws Error when the process ends again and again, or close() was called */
  readonly strip: StripTypes = (file, text) =>
    new Promise((resolve, reject) => {
      if (this.#closed) throw new Error(closed);
      const id = ++this.#asked;
      this.#waiting.set(id, { file, text, deaths: 0, resolve, reject });
      this.#ask(id);
    });

  /** The pid of the process; null while there is no process. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts the process, so that the next text does not wait until the compiler is loaded. */
  load(): void {
    if (this.#closed) return;
    this.#running();
    this.#rest();
  }

  /** Ends the process. */
  close(): void {
    this.#closed = true;
    this.#end();
    for (const { reject } of this.#waiting.values()) reject(new Error(closed));
    this.#waiting.clear();
  }

  #ask(id: number): void {
    const { file, text } = this.#waiting.get(id)!;
    clearTimeout(this.#idle);
    const child = this.#running();
    child.ref();
    child.channel?.ref();
    // What cannot be sent is asked again when the process is seen to have ended, or not to have started.
    if (child.connected) child.send({ id, file, text } satisfies CompilerRequest, () => {});
  }

  #running(): ChildProcess {
    if (this.#child) return this.#child;
    // A source file, in a test, is loaded as this one was.
    const extension = extname(import.meta.filename);
    const child = fork(join(import.meta.dirname, `compiler-main${extension}`), {
      execArgv: extension === ".ts" ? process.execArgv : [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.on("message", answer => this.#answer(answer as CompilerAnswer));
    child.once("error", error => this.#died(child, error.message));
    child.once("exit", (code, signal) => this.#died(child, signal ?? `status ${code}`));
    this.#child = child;
    return child;
  }

  #answer({ id, stripped }: CompilerAnswer): void {
    this.#waiting.get(id)?.resolve(stripped);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#rest();
  }

  /** Nothing waits for the process: it keeps nothing alive, and ends after a while. */
  #rest(): void {
    if (this.#waiting.size > 0) return;
    this.#child?.unref();
    this.#child?.channel?.unref();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(), this.#idleMs).unref();
  }

  #end(): void {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    // It ends when the channel is closed.
    if (child?.connected) child.disconnect();
  }

  #died(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    for (const [id, waiting] of [...this.#waiting]) {
      if (++waiting.deaths < mostDeaths) this.#ask(id);
      else {
        this.#waiting.delete(id);
        waiting.reject(new Error(`The compiler ended by itself (${how}) while it read ${waiting.file}.`));
      }
    }
  }
}
