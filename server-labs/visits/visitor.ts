// Visitor. The process in which the clients of visits live (clients/visitor.ts), as the lab server starts and ends it.
// Its output is bounded and checked like that of any child. It lives outside the sandbox: it runs no text of a student.
import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { type JsonLine, JsonLines } from "../lib/json-lines.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { programEnvironment } from "../process.ts";
import { type VisitorCommand, type VisitorEnd, type VisitorReport, visitorReport } from "../protocol.ts";

/** A visitor that writes more than this is broken: each visit has a budget of its own, far below. */
const bounds = { lineBytes: 32 * 1024, perSecond: 500, burst: 5_000 } as const;
/** Characters of its standard error that are kept for the sentence that says how it ended. */
const lastWordsLength = 2_000;

export class Visitor {
  /** Null when the system refused to start it. */
  readonly #child: ChildProcess | null;
  readonly #bucket = new TokenBucket(bounds.perSecond, bounds.burst);
  readonly #onReport: (report: VisitorReport) => boolean;
  readonly #onEnd: (end: VisitorEnd) => void;
  readonly #lines = new JsonLines(bounds.lineBytes);
  #errors = "";
  #garbled = 0;
  /** It has ended, or is to end: nothing is reported any more. */
  #over = false;

  /**
   * Starts the process.
   * @param packageRoot the clone in whose dist/ the visitor's program is
   * @param onReport called with each well-formed report; returns false when the report makes no sense
   * @param onEnd called once, when the process ended and end() was not called
   */
  constructor(
    packageRoot: string,
    onReport: (report: VisitorReport) => boolean,
    onEnd: (end: VisitorEnd) => void,
  ) {
    this.#onReport = onReport;
    this.#onEnd = onEnd;
    try {
      this.#child = start(packageRoot);
    } catch (error) {
      this.#child = null;
      // Later, like all other ends: the caller does not hold this object yet.
      process.nextTick(() => this.#ended({ error: (error as Error).message }));
      return;
    }
    this.#listen(this.#child);
  }

  send(command: VisitorCommand): void {
    this.#child?.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  end(): void {
    this.#over = true;
    this.#child?.kill("SIGKILL");
  }

  #listen(child: ChildProcess): void {
    child.on("error", error => this.#ended({ error: error.message }));
    child.on("close", (status, signal) => {
      const lastWords = this.#errors
        .trim()
        .split("\n")
        .findLast(line => /\w*Error/.test(line))
        ?.trim()
        .slice(0, 200);
      this.#ended({
        ...(signal === null ? { status: status ?? 0 } : { signal }),
        ...(lastWords === undefined ? {} : { lastWords }),
        garbled: this.#garbled,
      });
    });
    // Where this process is out of descriptors (EMFILE) there are no pipes, and "error" says why.
    // The visitor may end before it has read everything; "close" says so.
    child.stdin?.on("error", () => {});
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#errors = (this.#errors + chunk).slice(-lastWordsLength);
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      for (const line of this.#lines.push(chunk)) this.#onLine(line);
    });
  }

  #onLine(line: JsonLine): void {
    if (line.kind === "value" && this.#bucket.level >= 1) {
      this.#bucket.consume(1);
      const parsed = v.safeParse(visitorReport, line.value);
      if (parsed.success && this.#onReport(parsed.output)) return;
    }
    this.#garbled++;
    if (this.#garbled > bounds.burst) this.#child?.kill("SIGKILL");
  }

  #ended(end: VisitorEnd): void {
    if (!this.#over) this.#onEnd(end);
    this.#over = true;
  }
}

/** @throws Error when there is no such folder, or the system refuses otherwise than by the child's "error" */
function start(packageRoot: string): ChildProcess {
  const entry = join(realpathSync(packageRoot), "dist", "server-labs", "clients", "visitor.js");
  return spawn(process.execPath, [entry], {
    env: programEnvironment(process.env),
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe"],
  });
}
