// The visitor as the lab server holds it: a process of its own (check/visitor.ts), whose words are bounded and checked
// like those of any child. It lives outside the sandbox: it runs no text of a student's.
import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { Bucket } from "./bucket.ts";
import { type VisitorCommand, type VisitorSays, visitorSays } from "./protocol.ts";
import { programEnvironment } from "./sandbox.ts";

/** A visitor that says more than this has gone mad: each visit has a budget of its own, far below. */
const said = { lineBytes: 32 * 1024, perSecond: 500, burst: 5_000 } as const;
/** Words on stderr that are kept for the sentence that says how it ended. */
const lastWordsBytes = 2_000;

/** The process. It is told, it says, and it ends once. */
export class Visitor {
  readonly #child: ChildProcess;
  readonly #bucket = new Bucket(said.perSecond, said.burst);
  #garbled = 0;
  #ending = false;

  /**
   * Starts it.
   * @param heard what it said, if that is well-formed; false: it makes no sense
   * @param died it ended without having been told to
   */
  constructor(packageRoot: string, heard: (says: VisitorSays) => boolean, died: (why: string) => void) {
    const entry = join(realpathSync(packageRoot), "dist", "server-labs", "check", "visitor.js");
    const child = spawn(process.execPath, [entry], {
      env: programEnvironment(process.env),
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    let [rest, words, over] = ["", "", false];
    const end = (why: string) => {
      if (!over && !this.#ending) died(why);
      over = true;
    };
    child.on("error", error => end(`cannot be started: ${error.message}`));
    child.on("close", (code, signal) => {
      const last = words
        .trim()
        .split("\n")
        .findLast(line => /\w*Error/.test(line));
      const mad = this.#garbled > 0 ? `, after ${this.#garbled} lines that made no sense` : "";
      end(
        `${signal ? `was ended by ${signal}` : `exited with ${code}`}${last ? ` (${last.trim()})` : ""}${mad}`,
      );
    });
    // It may be gone before it has read everything; "close" says so.
    child.stdin!.on("error", () => {});
    child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
      words = (words + chunk).slice(-lastWordsBytes);
    });
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!.slice(0, said.lineBytes);
      for (const line of lines) this.#line(line, heard);
    });
  }

  tell(command: VisitorCommand): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  end(): void {
    this.#ending = true;
    this.#child.kill("SIGKILL");
  }

  #line(line: string, heard: (says: VisitorSays) => boolean): void {
    if (line.length <= said.lineBytes && this.#bucket.level >= 1) {
      this.#bucket.take(1);
      const parsed = v.safeParse(visitorSays, parse(line));
      if (parsed.success && heard(parsed.output)) return;
    }
    this.#garbled++;
    if (this.#garbled > said.burst) this.#child.kill("SIGKILL");
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
