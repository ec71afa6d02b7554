// Checker. A run of the lab's checks: a process in the same sandbox as a program, that starts the student's server and
// attacks it with real clients. It reports on a pipe, one line of JSON for each change of a check.
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import * as v from "valibot";
import { checksFilesOf, type Lab } from "../book.ts";
import type { EventBody } from "../events.ts";
import { type JsonLine, JsonLines } from "../lib/json-lines.ts";
import type { ModuleText, StripTypes } from "../modules.ts";
import {
  flow,
  type LaunchOptions,
  launch,
  packageParts,
  type RunFolder,
  type SandboxLevel,
  workspaceParts,
} from "../process.ts";
import { type CheckCounts, type CheckState, type EndStatement, limits } from "../protocol.ts";
import { drainMs, endingStatement, type HowItEnded, type Part, type ProcessRun } from "./run.ts";
import type { FolderUse } from "./watchdog.ts";

/** What a checker finds in the file that LAB_STRIPPED names. */
export interface StrippedPrograms {
  /** The JavaScript of the program's files, by absolute path; the file that starts is the first. */
  modules: Record<string, string>;
  /** The JavaScript of the lab's checks, by the absolute path of the file that declares them. */
  checks?: Record<string, string>;
}

export interface CheckerOptions {
  run: ProcessRun;
  sandbox: SandboxLevel;
  packageRoot: string;
  folder: RunFolder;
  /** The lab's folder in the workspace. */
  workspace: string;
  lab: Lab;
  /** Absolute path of the student's file. */
  name: string;
  /** The files that its program consists of, by absolute path; `name` is the first. */
  modules: Map<string, ModuleText>;
  /** Blanks the types of the lab's checks. */
  strip: StripTypes;
  only: string[];
  /** The lab's rivals are checked, too. */
  scoreboard: boolean;
  /** Measures the lab's folder. */
  folderUse(): Promise<FolderUse>;
}

type ReportBody = Extract<EventBody, { type: "check" | "scoreboard" }>;

/** More reports of one server than this are garbage: a lab has some ten checks, each with a few lines. */
const mostReports = 1000;
const lineBytes = 64 * 1024;
const descriptors = 4096;

const line = v.pipe(v.string(), v.maxLength(10_000));
const report = v.object({
  id: v.pipe(v.string(), v.maxLength(64)),
  title: line,
  state: v.picklist(["waiting", "running", "passed", "failed", "unobserved", "unjudged"]),
  took: v.optional(v.pipe(v.number(), v.finite())),
  failure: v.optional(
    v.object({
      summary: line,
      evidence: v.pipe(v.array(line), v.maxLength(200)),
      expected: v.optional(line),
      actual: v.optional(line),
      because: v.optional(line),
      see: v.optional(line),
      line: v.optional(v.pipe(v.number(), v.integer())),
      file: v.optional(v.pipe(v.string(), v.maxLength(1000))),
    }),
  ),
  note: v.optional(line),
  server: v.optional(v.pipe(v.string(), v.maxLength(64))),
});
const word = v.pipe(v.string(), v.maxLength(400));
/** The first report of a scoreboard. */
const announcement = v.object({
  type: v.literal("scoreboard"),
  servers: v.pipe(
    v.array(v.object({ id: word, name: word, missing: v.optional(v.object({ program: word, get: word })) })),
    v.maxLength(20),
  ),
});

/** Prepares a checker: its folder with the text and the stripped programs. @throws Error when the folder cannot be written */
export async function checkerPart(options: CheckerOptions): Promise<Part> {
  const { run, sandbox, folder, lab, only, scoreboard } = options;
  const root = realpathSync(options.packageRoot);
  const cwd = realpathSync(options.workspace);
  const chapters = realpathSync(dirname(lab.chapter.folder));
  const file = options.name;
  const entry = join(root, "dist", "server-labs", "check", "main.js");
  const command = [realpathSync(process.execPath), entry, lab.id, "--chapters", chapters, "--file", file];
  const readable = [...packageParts(root), ...workspaceParts(cwd), chapters, folder.path];
  const start: LaunchOptions = {
    sandbox,
    command: [...command, ...only.flatMap(id => ["--only", id]), ...(scoreboard ? ["--scoreboard"] : [])],
    reach: { cwd, readable, writable: [cwd], descriptors },
    variables: {
      LAB_REPORT_FD: "3",
      LAB_STRIPPED: folder.write("stripped.json", JSON.stringify(await stripped(options))),
    },
    mark: folder.mark,
    descriptors: ["pipe"],
  };
  run.log.start();
  const servers = scoreboard ? 1 + lab.rivals.length : 1;
  const mostMs = limits.checkMs * servers;
  const reports = new Reports(mostReports * servers, body => {
    run.log.append(body);
    if (body.type === "check" && body.state !== "waiting") run.become("running", { code: "checking" });
  });
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  let pipe: Duplex | undefined;
  let received: Promise<void> = Promise.resolve();
  return {
    command: `check ${basename(file)}${scoreboard ? " --scoreboard" : ""}`,
    sandbox,
    folderUse: options.folderUse,
    start: () => launch(start),
    attach(tree) {
      pipe = tree.pipes[0]!;
      received = reports.receive(pipe);
      timer = setTimeout(() => {
        late = true;
        tree.kill();
      }, mostMs);
    },
    async finish(end) {
      clearTimeout(timer);
      // A process that escaped could hold the pipe open: the run does not wait for its reports.
      const impatient = setTimeout(() => pipe?.destroy(), drainMs);
      await received;
      clearTimeout(impatient);
      return { ending: end.ending, statement: reports.endStatement(end, late ? mostMs : null) };
    },
    dispose: () => folder.remove(),
  };
}

/** Both programs that the checker will run, as JavaScript: the checker would load the compiler for each check. */
async function stripped({ lab, modules, strip }: CheckerOptions): Promise<StrippedPrograms> {
  const entries = [...modules].map(([path, { javascript }]) => [path, javascript]);
  const checks: Record<string, string> = {};
  for (const file of checksFilesOf(lab)) {
    const made = await strip(basename(file), await readFile(file, "utf8").catch(() => ""));
    if ("javascript" in made) checks[file] = made.javascript;
  }
  return { modules: Object.fromEntries(entries), checks };
}

/** The reports of one checker. Each line is a claim of a process in which a student's text ran, bounded and checked. */
class Reports {
  readonly #most: number;
  readonly #append: (body: ReportBody) => void;
  /** Of the student's server, by check, and of rivals. */
  #states = new Map<string, CheckState>();
  #ofRivals = new Map<string, CheckState>();
  #count = 0;
  #garbled = 0;

  /** @param most reports that are taken */
  constructor(most: number, append: (body: ReportBody) => void) {
    this.#most = most;
    this.#append = append;
  }

  /** Reads the pipe to its end. */
  receive(pipe: Readable): Promise<void> {
    const lines = new JsonLines(lineBytes);
    flow(pipe, (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#line(line);
    });
    return new Promise(resolve => (pipe.closed ? resolve() : pipe.on("close", () => resolve())));
  }

  /** How the check ended. @param late it took more than so many milliseconds; null: it did not */
  endStatement(end: HowItEnded, late: number | null): EndStatement {
    const checks = this.#states.size > 0 ? this.#counts() : null;
    if (late !== null) return { code: "checks-too-slow", checks, seconds: late / 1000 };
    const ending = endingStatement(end);
    if (end.stopped) return checks ? { code: "checks-stopped", checks } : ending;
    const states = [...this.#states.values(), ...this.#ofRivals.values()];
    const isUnfinished = states.some(state => state === "waiting" || state === "running");
    if (checks === null || isUnfinished) return { code: "checker-ended-early", checks, ending };
    return { code: "checks-made", checks, garbled: this.#garbled };
  }

  #counts(): CheckCounts {
    const states = [...this.#states.values()];
    const count = (state: CheckState) => states.filter(one => one === state).length;
    const [passed, unobserved, unjudged] = [count("passed"), count("unobserved"), count("unjudged")];
    return { passed, all: states.length, unobserved, unjudged };
  }

  #line(line: JsonLine): void {
    if (line.kind === "empty") return;
    const made = line.kind === "value" ? v.safeParse(v.union([announcement, report]), line.value) : null;
    if (!made?.success || ++this.#count > this.#most) {
      this.#garbled++;
      return;
    }
    if ("servers" in made.output) {
      this.#append(made.output as ReportBody);
      return;
    }
    const { id, title, state, took, failure, note, server } = made.output;
    if (server === undefined) this.#states.set(id, state);
    else this.#ofRivals.set(`${server} ${id}`, state);
    this.#append({
      type: "check",
      id,
      title,
      state,
      ...(took === undefined ? {} : { took }),
      ...(failure === undefined ? {} : { failure }),
      ...(note === undefined ? {} : { note }),
      ...(server === undefined ? {} : { server }),
    } as ReportBody);
  }
}
