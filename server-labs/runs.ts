// All runs of this lab server. For each lab there is one program at a time and one check: starting again first ends
// the one before. A run that cannot start is a run too, whose log says why. Nobody else's process is ever ended.
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import type { Lab } from "./book.ts";
import { idle } from "./idle.ts";
import { Preparing, type RunsOptions } from "./prepare.ts";
import type { CheckBody, LabId, RunBody, RunId, RunKind } from "./protocol.ts";
import { Run } from "./run.ts";
import { RunFolders } from "./run-folder.ts";
import type { Part, Refusal } from "./run-part.ts";
import type { Spare } from "./spare.ts";
import { Spares } from "./spares.ts";
import { Turns } from "./turns.ts";

/** Ended runs that are kept for late readers, of each lab and kind. */
const keptRuns = 3;

export class Runs {
  readonly #options: RunsOptions;
  readonly #folders: RunFolders;
  readonly #spares: Spares;
  readonly #preparing: Preparing;
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
    this.#preparing = new Preparing(this.#options, this.#folders, this.#spares, this.#runs);
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
    // What is opened loads its editor now: that comes first.
    void idle().then(() => this.foresee(lab));
    return () => void this.#open.splice(this.#open.lastIndexOf(found), 1);
  }

  /** The text of this lab is another one. If somebody has it open, what its next start needs of it is made now. */
  foresee(lab: LabId): void {
    // A file that is gone or cannot be read is said when it is run.
    if (this.#closed || !this.#open.some(({ id }) => id === lab)) return;
    void this.#preparing.foresee(lab).catch(() => {});
  }

  /** The process that waits for the next program, for tests; null when there is none. */
  get spare(): Spare | null {
    return this.#spares.kept;
  }

  /** Starts the student's program; the lab's program that runs is ended first. Resolves when it runs, or is refused. */
  startProgram(lab: LabId, body: RunBody): Promise<Run> {
    return this.#start(lab, "program", run => this.#preparing.program(run, this.#lab(lab), body));
  }

  /** Attacks the student's server with the lab's checks; a check that runs is ended first. */
  startCheck(lab: LabId, body: CheckBody): Promise<Run> {
    return this.#start(lab, "check", run => this.#preparing.check(run, this.#lab(lab), body));
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

  /** What keeps a spare from being made keeps a program from starting, and is said then. */
  async #keepSpare(lab: Lab): Promise<void> {
    const setting = await this.#preparing.setting(lab).catch(() => null);
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
