// Lab server. A whole lab server for the bench: its own process, workspace, token and port, as `npm start` starts it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { processTree, runState } from "../check.ts";
import { packageRoot } from "../lib/package-root.ts";
import { adopt } from "./children.ts";
import { cpuMicros } from "./cpu.ts";

/** Between two looks at whether a process has come to rest. */
const lookMs = 25;
const restWithinMs = 10_000;

export class LabServer {
  readonly link: URL;
  readonly #child: ChildProcess;
  readonly #home: string;

  private constructor(link: URL, child: ChildProcess, home: string) {
    this.link = link;
    this.#child = child;
    this.#home = home;
    adopt(child);
  }

  /**
   * @param home an empty folder, for the workspace and the state
   * @param spare keeps a process ready for the next Run, or does not
   */
  static async start(home: string, spare: boolean): Promise<LabServer> {
    mkdirSync(home, { recursive: true });
    const child = spawn(process.execPath, ["dist/server-labs/main.js", "--no-open", "--port", "0"], {
      cwd: packageRoot,
      env: {
        ...process.env,
        WORKBOOK_HOME: join(home, "work"),
        WORKBOOK_STATE: join(home, "state"),
        ...(spare ? {} : { WORKBOOK_SPARE: "off" }),
      },
      stdio: ["ignore", "pipe", "ignore"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const link = /http:\/\/\S+\/#t=\S+/.exec(line)?.[0];
      if (link) return new LabServer(new URL(link), child, home);
    }
    throw new Error("The lab server ended before it printed its link: try npm start.");
  }

  get token(): string {
    return readFileSync(join(this.#home, "state", "token"), "utf8").trim();
  }

  /** Puts this text into the student's workspace, as an editor would. */
  write(lab: string, text: string): void {
    const file = join(this.#home, "work", lab, "server.ts");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /**
   * Resolves when nothing moves any more: the process that waits for the next Run sleeps, if there is to be one, and
   * the lab server too. No event reports that, because only the bench needs to know it.
   */
  async atRest(spare: boolean): Promise<void> {
    const until = performance.now() + restWithinMs;
    let before = "";
    for (;;) {
      const all = processTree(this.#child.pid!);
      const programs = all.filter(isProgram);
      const now = `${all} ${cpuMicros([...programs, this.#child.pid!])}`;
      const asleep = programs.every(pid => runState(pid) === "S");
      if (programs.length === (spare ? 1 : 0) && asleep && now === before) return;
      if (performance.now() > until) throw new Error("the lab server does not come to rest");
      before = now;
      await sleep(lookMs);
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await gone;
  }
}

/** Not the sandbox around it, whose arguments name it too. */
function isProgram(pid: number): boolean {
  try {
    const [program = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return program === process.execPath && args.some(arg => arg.endsWith("runtime/program.js"));
  } catch {
    return false; // gone by now
  }
}
