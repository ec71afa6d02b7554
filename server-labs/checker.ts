// The checker as a run: a process of its own, in the same sandbox as a program, that starts the student's server
// and attacks it with real clients. It reports on a pipe, one line of JSON for each thing that it knows of a check.
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import * as v from "valibot";
import type { Lab } from "./book.ts";
import type { EventBody } from "./event-log.ts";
import { flow } from "./held.ts";
import { type LaunchOptions, launch } from "./launch.ts";
import { limits } from "./protocol.ts";
import type { Run } from "./run.ts";
import type { RunFolder } from "./run-folder.ts";
import type { HowItEnded, Part } from "./run-part.ts";
import { packageParts, type SandboxLevel } from "./sandbox.ts";
import { checkSentence, endSentence } from "./sentences.ts";
import { heapMegabytes } from "./spare.ts";
import { strip } from "./strip.ts";

export interface CheckerOptions {
  run: Run;
  sandbox: SandboxLevel;
  packageRoot: string;
  folder: RunFolder;
  /** The lab's folder in the workspace. */
  workspace: string;
  lab: Lab;
  /** Name and text of the student's file. */
  file: string;
  text: string;
  /** The same, its types taken away. */
  javascript: string;
  only: string[];
}

type CheckBody = Extract<EventBody, { type: "check" }>;

/** A checker that reports more than this has gone mad: a lab has some ten checks, each with a few lines. */
const mostReports = 1000;
const lineBytes = 64 * 1024;
const descriptors = 4096;

const line = v.pipe(v.string(), v.maxLength(10_000));
const report = v.object({
  id: v.pipe(v.string(), v.maxLength(64)),
  title: line,
  state: v.picklist(["waiting", "running", "passed", "failed", "unobserved"]),
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
    }),
  ),
  note: v.optional(line),
});

/** Makes ready what the checker needs to be started. */
export async function checkerPart(options: CheckerOptions): Promise<Part> {
  const { run, sandbox, folder, lab, only } = options;
  const root = realpathSync(options.packageRoot);
  const cwd = realpathSync(options.workspace);
  const chapters = realpathSync(dirname(lab.chapter.folder));
  const file = folder.write(options.file, options.text);
  const entry = join(root, "dist", "server-labs", "check", "main.js");
  const command = [realpathSync(process.execPath), entry, lab.id, "--chapters", chapters, "--file", file];
  const start: LaunchOptions = {
    sandbox,
    command: [...command, ...only.flatMap(id => ["--only", id])],
    reach: { cwd, readable: [...packageParts(root), chapters, folder.path], writable: [cwd], descriptors },
    variables: {
      LAB_REPORT_FD: "3",
      LAB_STRIPPED: folder.write("stripped.json", await stripped(options)),
    },
    mark: folder.mark,
    descriptors: ["pipe"],
  };
  run.log.begin();
  const reports = new Reports(body => {
    run.log.append(body);
    if (body.state !== "waiting") run.become("running", "checking");
  });
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  let heard: Promise<void> = Promise.resolve();
  return {
    command: `check ${basename(file)}`,
    sandbox,
    start: () => launch(start),
    attach(tree) {
      heard = reports.hear(tree.pipes[0]!);
      timer = setTimeout(() => {
        late = true;
        tree.kill();
      }, limits.checkMs);
    },
    async finish(end) {
      clearTimeout(timer);
      await heard;
      return { ending: end.ending, sentence: reports.sentence(end, late) };
    },
    dispose: () => folder.remove(),
  };
}

/** Both programs that the checker will run, as JavaScript: here the compiler is loaded, there it would be for each check anew. */
async function stripped({ lab, text, javascript }: CheckerOptions): Promise<string> {
  const pairs = [[text, javascript]];
  const checks = await readFile(lab.checksFile, "utf8").catch(() => "");
  const made = await strip(basename(lab.checksFile), checks);
  if ("javascript" in made) pairs.push([checks, made.javascript]);
  return JSON.stringify(pairs);
}

/** The lines of one checker, each of them a claim of a process in which a student's text ran. */
class Reports {
  readonly #append: (body: CheckBody) => void;
  #states = new Map<string, CheckBody["state"]>();
  #count = 0;
  #garbled = 0;

  constructor(append: (body: CheckBody) => void) {
    this.#append = append;
  }

  /** Reads the pipe to its end. */
  hear(pipe: Readable): Promise<void> {
    let rest = "";
    pipe.setEncoding("utf8");
    flow(pipe, (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!.slice(0, lineBytes);
      for (const text of lines) this.#line(text);
    });
    return new Promise(resolve => pipe.on("close", () => resolve()));
  }

  sentence({ ending, stopped, killed, lastWords }: HowItEnded, late: boolean): string {
    const told = this.#states.size > 0 ? checkSentence([...this.#states.values()]) : "";
    const seconds = limits.checkMs / 1000;
    if (late)
      return `${told || "nothing was checked"}; the checks took more than ${seconds} s and were ended`;
    const end = endSentence({ ending, stopped, killed, lastWords, heapMegabytes, graceMs: limits.graceMs });
    if (stopped) return told ? `stopped: ${told}` : end;
    const unfinished = [...this.#states.values()].some(state => state === "waiting" || state === "running");
    if (told === "") return `the checker ended before it had checked anything: ${end}`;
    if (unfinished) return `${told}; the checker ended before it was done: ${end}`;
    return this.#garbled > 0 ? `${told}; ${this.#garbled} of its reports made no sense` : told;
  }

  #line(text: string): void {
    if (text.trim() === "") return;
    const parsed = text.length <= lineBytes ? v.safeParse(report, parse(text)) : { success: false as const };
    if (!parsed.success || ++this.#count > mostReports) {
      this.#garbled++;
      return;
    }
    const { id, title, state, took, failure, note } = parsed.output;
    this.#states.set(id, state);
    this.#append({
      type: "check",
      id,
      title,
      state,
      ...(took === undefined ? {} : { took }),
      ...(failure === undefined ? {} : { failure }),
      ...(note === undefined ? {} : { note }),
    } as CheckBody);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
