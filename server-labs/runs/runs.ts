// Runs. All runs of this lab server: for each lab one program at a time and one check, and a start first ends the one
// before. A run that cannot start is a run too, and its log says why. A process that is no run of ours is never ended.
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import type { Lab } from "../book.ts";
import { KeyedQueue } from "../lib/keyed-queue.ts";
import { isSystemError } from "../lib/system-error.ts";
import { whenIdle } from "../lib/when-idle.ts";
import { RunFolders, type Spare, Spares } from "../process.ts";
import type { CheckBody, LabId, RunBody, RunId, RunKind } from "../protocol.ts";
import { WorkspaceError } from "../workspace.ts";
import { Preparing, type RunsOptions } from "./prepare.ts";
import { type Part, ProcessRun, type RefusedStart } from "./run.ts";

/** Ended runs that are kept for late readers, of each lab and kind. */
const keptRuns = 3;

export class Runs {
  readonly #options: RunsOptions;
  readonly #folders: RunFolders;
  readonly #spares: Spares;
  readonly #preparing: Preparing;
  readonly #runs = new Map<RunId, ProcessRun>();
  readonly #queue = new KeyedQueue();
  readonly #listeners = new Set<(lab: LabId) => void>();
  /** One entry for each page that has a lab open; the page that opened last is last. */
  readonly #open = new Set<{ lab: Lab }>();
  #started = 0;
  #closed = false;

  constructor(options: RunsOptions) {
    this.#options = { ...options, packageRoot: realpathSync(options.packageRoot) };
    this.#folders = new RunFolders(options.packageRoot);
    this.#spares = new Spares(this.#folders, options.spare ?? false);
    this.#preparing = new Preparing(this.#options, this.#folders, this.#spares, this.#runs);
  }

  get(id: RunId): ProcessRun | undefined {
    return this.#runs.get(id);
  }

  /** The newest run of each kind, ended or not. */
  current(lab: LabId): { program: ProcessRun | null; check: ProcessRun | null } {
    const newest = (kind: RunKind) => this.#of(lab, kind).at(-1) ?? null;
    return { program: newest("program"), check: newest("check") };
  }

  /** Calls the listener when a run starts, ends, or changes its state. */
  onChange(listener: (lab: LabId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A page has this lab open, and its reader may want it to start at once; until the result is called. */
  open(lab: LabId): () => void {
    const opened = { lab: this.#lab(lab) };
    this.#open.add(opened);
    void this.#keepSpare(opened.lab);
    // The page loads its editor now: that comes first.
    void whenIdle().then(() => this.foresee(lab));
    return () => void this.#open.delete(opened);
  }

  /** The text of this lab has changed. If a page has the lab open, its types are blanked now, for the next start. */
  foresee(lab: LabId): void {
    // A file that is gone or cannot be read is refused when it is run.
    if (this.#closed || ![...this.#open].some(opened => opened.lab.id === lab)) return;
    void this.#preparing.foresee(lab).catch(() => {});
  }

  /** The process that waits for the next program; null without a spare. For tests. */
  get spare(): Spare | null {
    return this.#spares.kept;
  }

  /** Starts the student's program, and first ends the lab's program that runs. Resolves when it runs, or is refused. */
  startProgram(lab: LabId, body: RunBody): Promise<ProcessRun> {
    return this.#start(lab, "program", run => this.#preparing.program(run, this.#lab(lab), body));
  }

  /** Attacks the student's server with the lab's checks, and first ends a check of the lab that runs. */
  startCheck(lab: LabId, body: CheckBody): Promise<ProcessRun> {
    return this.#start(lab, "check", run => this.#preparing.check(run, this.#lab(lab), body));
  }

  /** Ends all runs; a run that is started later is refused. Resolves when nothing is left. */
  async stopAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#spares.close(), ...[...this.#runs.values()].map(run => run.stop())]);
    this.#folders.remove();
  }

  /** One start at a time for each lab and kind: of two at once, the second ends the first. */
  async #start(
    lab: LabId,
    kind: RunKind,
    prepare: (run: ProcessRun) => Promise<Part | RefusedStart>,
  ): Promise<ProcessRun> {
    this.#lab(lab);
    return this.#queue.run(`${kind} ${lab}`, async () => {
      await Promise.all(this.#of(lab, kind).map(run => run.stop()));
      const id = `${++this.#started}-${randomBytes(5).toString("hex")}`;
      const run = new ProcessRun(
        id,
        lab,
        kind,
        () => this.#changed(run),
        error => this.#options.unexpected?.(error),
      );
      const part = await prepare(run).catch(error => this.#refusalOf(error));
      this.#runs.set(id, run);
      this.#forget(lab, kind);
      if ("reason" in part) run.refuse(part);
      else if (!this.#closed) await run.start(part);
      else
        await run.abandon(part, {
          reason: "cannot-start",
          statement: { code: "lab-server-ending" },
        });
      return run;
    });
  }

  /** Why a run could not be prepared: an unreadable file, a full disk, or a mistake of the lab server. */
  #refusalOf(error: unknown): RefusedStart {
    if (error instanceof WorkspaceError || isSystemError(error))
      return { reason: "unreadable", statement: { code: "text-unreadable", text: error.message } };
    this.#options.unexpected?.(error);
    return { reason: "cannot-start", statement: { code: "start-failed" } };
  }

  /** Starts a spare for this lab. If that fails, the next program's start fails too, and its refusal says why. */
  async #keepSpare(lab: Lab): Promise<void> {
    const setting = await this.#preparing.setting(lab).catch(() => null);
    if (!setting || this.#closed) return;
    this.#spares.keep(setting, () => {
      const newest = [...this.#open].at(-1);
      if (newest) void this.#keepSpare(newest.lab);
    });
  }

  #lab(id: LabId): Lab {
    const lab = this.#options.book.lab(id);
    if (!lab) throw new Error(`There is no lab ${id}.`);
    return lab;
  }

  #of(lab: LabId, kind: RunKind): ProcessRun[] {
    return [...this.#runs.values()].filter(run => run.lab === lab && run.kind === kind);
  }

  #forget(lab: LabId, kind: RunKind): void {
    const over = this.#of(lab, kind).filter(run => run.log.ended);
    for (const run of over.slice(0, -keptRuns)) this.#runs.delete(run.id);
  }

  #changed(run: ProcessRun): void {
    for (const listener of [...this.#listeners]) listener(run.lab);
    // Only when it has printed or listened: until then the processor belongs to the program.
    if (run.kind === "program" && run.summary().state !== "starting")
      void this.#keepSpare(this.#lab(run.lab));
  }
}
