// All runs of this lab server. For each lab there is one program at a time and one check: starting again first ends
// the one before. A run that cannot start is a run too, whose log says why. Nobody else's process is ever ended.
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import type { Book, Lab } from "./book.ts";
import { labFile } from "./book.ts";
import { checkerPart } from "./checker.ts";
import { freePort, holderOf, isFree } from "./ports.ts";
import { programPart } from "./program.ts";
import type { CheckBody, LabId, RunBody, RunId, RunKind } from "./protocol.ts";
import { type Part, type Refusal, Run } from "./run.ts";
import { RunFolders } from "./run-folder.ts";
import type { SandboxLevel } from "./sandbox.ts";
import type { Setting, Spare } from "./spare.ts";
import { Spares } from "./spares.ts";
import { strip } from "./strip.ts";
import { etagOf } from "./text.ts";
import { Turns } from "./turns.ts";

/** What runs need of a workspace. */
export interface Files {
  path(lab: LabId, file: string): string;
  read(lab: LabId, file: string): Promise<{ text: string }>;
  /** The lab's folder; made when it is missing. */
  ensure(lab: LabId): Promise<string>;
}

export interface RunsOptions {
  book: Pick<Book, "lab">;
  workspace: Files;
  /** The workbook's own folder, built. */
  packageRoot: string;
  sandbox: SandboxLevel;
  /** Keeps a spare process, so that starts are warm. */
  spare?: boolean;
}

const defaultDescriptors = 4096;
/** Ended runs that are kept for late readers, of each lab and kind. */
const keptRuns = 3;

export class Runs {
  readonly #options: RunsOptions;
  readonly #folders: RunFolders;
  readonly #spares: Spares;
  readonly #runs = new Map<RunId, Run>();
  readonly #turns = new Turns();
  readonly #listeners = new Set<(lab: LabId) => void>();
  /** The labs that somebody has open; who opened last is last. */
  readonly #open: Lab[] = [];
  #started = 0;
  #closed = false;

  constructor(options: RunsOptions) {
    this.#options = { ...options, packageRoot: realpathSync(options.packageRoot) };
    this.#folders = new RunFolders(options.packageRoot);
    this.#spares = new Spares(this.#folders, options.spare ?? false);
  }

  get(id: RunId): Run | undefined {
    return this.#runs.get(id);
  }

  /** The newest run of each kind, ended or not. */
  current(lab: LabId): { program: Run | null; check: Run | null } {
    const newest = (kind: RunKind) => this.#of(lab, kind).at(-1) ?? null;
    return { program: newest("program"), check: newest("check") };
  }

  /** Calls the listener when a run starts, ends, or says something new of how it stands. */
  onChange(listener: (lab: LabId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Somebody has this lab open, and may want it to start at once; until the result is called. */
  open(lab: LabId): () => void {
    const found = this.#lab(lab);
    this.#open.push(found);
    void this.#keepSpare(found);
    return () => void this.#open.splice(this.#open.lastIndexOf(found), 1);
  }

  /** The process that waits for the next program, for tests; null when there is none. */
  get spare(): Spare | null {
    return this.#spares.kept;
  }

  /** Starts the student's program; the lab's program that runs is ended first. Resolves when it runs, or is refused. */
  startProgram(lab: LabId, body: RunBody): Promise<Run> {
    return this.#start(lab, "program", run => this.#program(run, this.#lab(lab), body));
  }

  /** Attacks the student's server with the lab's checks; a check that runs is ended first. */
  startCheck(lab: LabId, body: CheckBody): Promise<Run> {
    return this.#start(lab, "check", run => this.#check(run, this.#lab(lab), body));
  }

  /** Ends everything. Resolves when nothing is left; nothing can be started any more. */
  async stopAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#spares.close(), ...[...this.#runs.values()].map(run => run.stop())]);
    this.#folders.remove();
  }

  /** One start at a time for each lab and kind: of two at once, the second ends the first. */
  async #start(lab: LabId, kind: RunKind, prepare: (run: Run) => Promise<Part | Refusal>): Promise<Run> {
    this.#lab(lab);
    return this.#turns.take(`${kind} ${lab}`, async () => {
      await Promise.all(this.#of(lab, kind).map(run => run.stop()));
      const id = `${++this.#started}-${randomBytes(5).toString("hex")}`;
      const run = new Run(id, lab, kind, () => this.#changed(run));
      const part = await prepare(run).catch(refusalOf);
      this.#runs.set(id, run);
      this.#forget(lab, kind);
      if ("reason" in part) run.refuse(part);
      else if (!this.#closed) await run.start(part);
      else {
        await part.dispose();
        run.refuse({ reason: "cannot-start", sentence: "The lab server is ending." });
      }
      return run;
    });
  }

  async #program(run: Run, lab: Lab, body: RunBody): Promise<Part | Refusal> {
    const { workspace } = this.#options;
    const text = body.text ?? (await workspace.read(lab.id, labFile)).text;
    const stripped = await strip(labFile, text);
    if ("reason" in stripped) return stripped;
    if (body.instead !== undefined) await this.#runs.get(body.instead)?.stop();
    const asked = body.port ?? lab.port;
    const port = asked === 0 ? await freePort() : asked;
    run.port = port;
    const taken = await this.#taken(port);
    if (taken) return taken;
    const name = workspace.path(lab.id, labFile);
    const setting = await this.#setting(lab);
    const { javascript } = stripped;
    const etag = etagOf(Buffer.from(text));
    return programPart({ run, spares: this.#spares, setting, name, javascript, etag, port, pace: body.pace });
  }

  async #check(run: Run, lab: Lab, body: CheckBody): Promise<Part | Refusal> {
    const { workspace, sandbox, packageRoot } = this.#options;
    const text = body.text ?? (await workspace.read(lab.id, labFile)).text;
    // A text that cannot run is said at once, not by every check in turn.
    const stripped = await strip(labFile, text);
    if ("reason" in stripped) return stripped;
    const folder = this.#folders.create();
    return checkerPart({
      run,
      sandbox,
      packageRoot,
      folder,
      workspace: await workspace.ensure(lab.id),
      lab,
      file: labFile,
      text,
      javascript: stripped.javascript,
      only: body.only ?? [],
    });
  }

  /** Who is in the way of a program that wants this port; null when nobody is. */
  async #taken(port: number): Promise<Refusal | null> {
    if (await isFree(port)) return null;
    const holder = await holderOf(port);
    const free = await freePort(port + 1);
    const ours = holder && [...this.#runs.values()].find(run => run.contains(holder.pid));
    const common = { reason: "port-taken", freePort: free } as const;
    if (ours) {
      const sentence = `Port ${port} is held by your own ${ours.kind} of ${ours.lab}, which is still running. Stop it, or use port ${free}.`;
      return { ...common, sentence, holder: { run: ours.id, lab: ours.lab } };
    }
    if (!holder) {
      const sentence = `Port ${port} is taken, though nobody listens on it: a socket is bound there, or connections to an address of it are still closing. Try again, or use port ${free}.`;
      return { ...common, sentence };
    }
    const who = holder.pid > 0 ? `${holder.command} (pid ${holder.pid})` : holder.command;
    const sentence = `Port ${port} is held by ${who}, which is not a run of this workbook and is left alone. End it yourself, or use port ${free}.`;
    return { ...common, sentence, holder };
  }

  async #setting({ id, descriptors = defaultDescriptors }: Lab): Promise<Setting> {
    const { workspace, sandbox, packageRoot } = this.#options;
    return { sandbox, packageRoot, workspace: await workspace.ensure(id), descriptors };
  }

  /** What keeps a spare from being made keeps a program from starting, and is said then. */
  async #keepSpare(lab: Lab): Promise<void> {
    const setting = await this.#setting(lab).catch(() => null);
    if (!setting || this.#closed) return;
    this.#spares.keep(setting, () => {
      const open = this.#open.at(-1);
      if (open) void this.#keepSpare(open);
    });
  }

  #lab(id: LabId): Lab {
    const lab = this.#options.book.lab(id);
    if (!lab) throw new Error(`There is no lab ${id}.`);
    return lab;
  }

  #of(lab: LabId, kind: RunKind): Run[] {
    return [...this.#runs.values()].filter(run => run.lab === lab && run.kind === kind);
  }

  #forget(lab: LabId, kind: RunKind): void {
    const over = this.#of(lab, kind).filter(run => run.log.ended);
    for (const run of over.slice(0, -keptRuns)) this.#runs.delete(run.id);
  }

  #changed(run: Run): void {
    for (const listener of [...this.#listeners]) listener(run.lab);
    // Only once it has said something: the processor is its own until then.
    if (run.kind === "program" && run.summary().state !== "starting")
      void this.#keepSpare(this.#lab(run.lab));
  }
}

/** What kept a run from being prepared, as a refusal: an unreadable file, a full disk. */
function refusalOf(error: unknown): Refusal {
  const sentence = error instanceof Error ? error.message : String(error);
  return { reason: "unreadable", sentence };
}
