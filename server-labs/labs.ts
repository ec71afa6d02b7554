// Labs. What a person can ask of a lab, from the page or from a shell: look, run, check, pace, visit, stop.
import type { Book, Lab } from "./book.ts";
import type { KernelWatch } from "./kernel.ts";
import { Refusal } from "./lib/refusal.ts";
import { conditionOf, type Pacer, programHasEnded } from "./pace.ts";
import type {
  CheckBody,
  EventOf,
  LabId,
  LabSummary,
  RunBody,
  RunId,
  RunSummary,
  TaskSample,
} from "./protocol.ts";
import type { ProcessRun } from "./runs.ts";
import type { Visits } from "./visits.ts";
import type { Workspace } from "./workspace.ts";

/** A run as its callers may use it: they look, pace, visit and stop; only runs/ starts and ends its parts. */
export type RunHandle = Pick<
  ProcessRun,
  "id" | "lab" | "kind" | "log" | "pacer" | "ended" | "summary" | "stop"
> & {
  /** The kernel's state of its program; null for a run without a program. */
  readonly kernel: Pick<KernelWatch, "want" | "once" | "sampledAt"> | null;
  /** What its tasks do; null for a run without a program. */
  readonly tasks: { now(): TaskSample | null } | null;
  /** The clients that visit it; null where there is no program to visit. */
  readonly visits: Pick<Visits, "start" | "leave"> | null;
};

/** Starts runs and knows them. A run that cannot start is a run, too: its log holds one `refused`. */
export interface Runner {
  startProgram(lab: LabId, body: RunBody): Promise<RunHandle>;
  startCheck(lab: LabId, body: CheckBody): Promise<RunHandle>;
  get(run: RunId): RunHandle | undefined;
  current(lab: LabId): { program: RunHandle | null; check: RunHandle | null };
  /** @returns removes the listener */
  onChange(listener: (lab: LabId) => void): () => void;
  /** A page has this lab open, and may want it to start at once. @returns closes it */
  open(lab: LabId): () => void;
}

export class Labs {
  readonly book: Book;
  readonly workspace: Workspace;
  readonly runs: Runner;

  constructor(book: Book, workspace: Workspace, runs: Runner) {
    this.book = book;
    this.workspace = workspace;
    this.runs = runs;
  }

  /** @throws Refusal "unknown-lab" with the labs that there are */
  lab(id: LabId): Lab {
    const lab = this.book.lab(id);
    if (lab) return lab;
    throw new Refusal({ code: "unknown-lab", lab: id, known: this.book.labs.map(lab => lab.id) });
  }

  /** @throws Refusal "unknown-run" */
  run(id: RunId): RunHandle {
    const run = this.runs.get(id);
    if (run) return run;
    throw new Refusal({ code: "unknown-run", run: id.slice(0, 64) });
  }

  /** The pacer of a running program. @throws Refusal "unknown-run", "program-has-ended", "check-cannot-pause" */
  pacer(id: RunId): Pacer {
    const { pacer, log, kind } = this.run(id);
    if (pacer && !log.ended) return pacer;
    if (kind !== "check") throw programHasEnded();
    throw new Refusal({ code: "check-cannot-pause" });
  }

  /** The visits of a run. @throws Refusal "unknown-run", "check-brings-clients", "run-not-started" */
  visits(id: RunId): NonNullable<RunHandle["visits"]> {
    const { visits, kind } = this.run(id);
    if (visits) return visits;
    throw new Refusal({ code: kind === "check" ? "check-brings-clients" : "run-not-started" });
  }

  async summary(lab: Lab): Promise<LabSummary> {
    return {
      lab: lab.id,
      title: lab.title,
      chapter: lab.chapter.id,
      ...(lab.course === undefined ? {} : { course: lab.course }),
      port: lab.port,
      ...(await this.workspace.contents(lab.id)),
      checks: lab.checks.map(({ id, title }) => ({ id, title })),
      ...this.current(lab.id),
    };
  }

  current(lab: LabId): { program: RunSummary | null; check: RunSummary | null } {
    const { program, check } = this.runs.current(lab);
    return { program: program?.summary() ?? null, check: check?.summary() ?? null };
  }

  /**
   * Starts the student's program; the text that runs is kept in the history.
   * @param driver "page 3" or "a shell": drives the run if the body has a pace
   * @throws Refusal "unknown-lab", or for a breakpoint that nothing could hit
   */
  async startProgram(id: LabId, body: RunBody, driver: string): Promise<RunHandle> {
    const lab = this.lab(id);
    body.pace?.breakpoints?.map(conditionOf);
    const file = body.file ?? lab.files[0]!.file;
    // The file is read before the program can change it. A text that came with the request is kept after the start.
    const read = body.text === undefined ? this.workspace.keep(id, file) : null;
    const run = await this.runs.startProgram(id, body);
    // A short program may have ended by now, and a refused run has no program.
    if (body.pace && !run.log.ended && !run.pacer?.ended) run.pacer?.drive(driver);
    await (read ?? this.workspace.keep(id, file, body.text));
    return run;
  }

  /**
   * Checks the student's server, and for a scoreboard the lab's rivals, too. A check that runs is ended first; a
   * scoreboard, which takes long, ends none.
   * @throws Refusal "unknown-lab", "unknown-check", "no-rivals", "check-under-way"
   */
  async startCheck(id: LabId, body: CheckBody): Promise<RunHandle> {
    const lab = this.lab(id);
    const known = lab.checks.map(check => check.id);
    const check = body.only?.find(only => !known.includes(only));
    if (check !== undefined) throw new Refusal({ code: "unknown-check", lab: id, check, known });
    if (body.scoreboard) {
      if (lab.rivals.length === 0) throw new Refusal({ code: "no-rivals", lab: id });
      const { check: last } = this.runs.current(id);
      if (last && !last.log.ended) throw new Refusal({ code: "check-under-way", lab: id });
    }
    return this.runs.startCheck(id, body);
  }
}

/** The `refused` of a run that did not start; undefined for a run that started. */
export function refusedEvent(run: RunHandle): EventOf<"refused"> | undefined {
  if (run.summary().state !== "refused") return undefined;
  const { events } = run.log.read(0, Number.POSITIVE_INFINITY);
  return events.find(event => event.type === "refused");
}
