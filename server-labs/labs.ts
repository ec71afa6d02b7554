// What a person can ask of a lab, whether from the page or from a shell: look, run, check, stop. api.ts and
// session.ts are two doors to this one room.
import { Refusal } from "./answers.ts";
import { suggestion } from "./book/problem.ts";
import type { Book, Lab } from "./book.ts";
import { conditionOf } from "./breakpoints.ts";
import type { Pacer } from "./pace.ts";
import type {
  CheckBody,
  Event,
  EventOf,
  KernelSample,
  LabId,
  LabSummary,
  RunBody,
  RunId,
  RunKind,
  RunSummary,
  VisitAnswer,
  VisitBody,
} from "./protocol.ts";
import type { Workspace } from "./workspace.ts";

/** What a reader of a run's events needs of its log. */
export interface Log {
  readonly nextSeq: number;
  readonly ended: boolean;
  read(from: number, maxBytes: number): { events: Event[]; next: number };
  onAppend(listener: () => void): () => void;
}

export interface Run {
  id: RunId;
  lab: LabId;
  kind: RunKind;
  log: Log;
  pacer?: Pacer | null;
  summary(): RunSummary;
  /** Samples of what the kernel knows of it; null (or missing) when there is no program. */
  readonly kernel?: {
    want(everyMs: number): () => void;
    once(): Promise<KernelSample | null>;
  } | null;
  stop(): Promise<void>;
  ended: Promise<void>;
  /** Who comes to see it; null where there is no program to be seen. */
  visits: { begin(body: VisitBody): Promise<VisitAnswer>; leave(visit?: string): number } | null;
}

/** Who starts processes. A run that cannot start is a run, too: its log holds one `refused`. */
export interface Runner {
  startProgram(lab: LabId, body: RunBody): Promise<Run>;
  startCheck(lab: LabId, body: CheckBody): Promise<Run>;
  get(run: RunId): Run | undefined;
  current(lab: LabId): { program: Run | null; check: Run | null };
  onChange(listener: (lab: LabId) => void): () => void;
  /** Somebody has this lab open, and may want it to start at once; until the result is called. */
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

  /** @throws Refusal 404 with the lab that was probably meant */
  lab(id: LabId): Lab {
    const lab = this.book.lab(id);
    if (lab) return lab;
    const known = this.book.labs.map(lab => lab.id);
    throw new Refusal(
      404,
      `There is no lab "${id}".${suggestion(id, known, "labs")} They are listed at /api/labs.`,
    );
  }

  /** @throws Refusal 404 */
  run(id: RunId): Run {
    const run = this.runs.get(id);
    if (run) return run;
    throw new Refusal(
      404,
      `There is no run "${id.slice(0, 64)}". Runs end with the lab server; /api/labs lists those that there are.`,
    );
  }

  /** How a running program goes. @throws Refusal 404, 409 when it has ended or is a check */
  pacer(id: RunId): Pacer {
    const { pacer, log, kind } = this.run(id);
    if (pacer && !log.ended) return pacer;
    throw new Refusal(
      409,
      kind === "check"
        ? "A check cannot be paused: its clients would take that for the server's fault. Pause a program of your own."
        : "This program has ended. Start it again, paused before its first call if you like.",
    );
  }

  /** The visits of a run. @throws Refusal 404, 409 */
  visits(id: RunId): NonNullable<Run["visits"]> {
    const { visits, kind } = this.run(id);
    if (visits) return visits;
    throw new Refusal(
      409,
      kind === "check"
        ? "This run is a check, which brings its own clients. Visits go to a program: press Run."
        : "This run did not start: nobody can connect to it.",
    );
  }

  async summary(lab: Lab): Promise<LabSummary> {
    return {
      lab: lab.id,
      title: lab.title,
      chapter: lab.chapter.id,
      ...(lab.course === undefined ? {} : { course: lab.course }),
      port: lab.port,
      files: await this.workspace.files(lab.id),
      checks: lab.checks,
      ...this.current(lab.id),
    };
  }

  current(lab: LabId): { program: RunSummary | null; check: RunSummary | null } {
    const { program, check } = this.runs.current(lab);
    return { program: program?.summary() ?? null, check: check?.summary() ?? null };
  }

  /**
   * Starts the student's program; what runs is kept in the history. Who says at what pace it begins drives it.
   * @param who "page 3", "a shell"
   */
  async startProgram(id: LabId, body: RunBody, who: string): Promise<Run> {
    const lab = this.lab(id);
    body.pace?.breakpoints?.map(conditionOf);
    const { file } = lab.files[0]!;
    // Read before the program can change it. A text that is in our hands is kept once somebody no longer waits.
    const read = body.text === undefined ? this.workspace.keep(id, file) : null;
    const run = await this.runs.startProgram(id, body);
    if (body.pace && !run.log.ended) run.pacer?.drive(who);
    await (read ?? this.workspace.keep(id, file, body.text));
    return run;
  }

  /** @throws Refusal 400 for a check that the lab does not have */
  async startCheck(id: LabId, body: CheckBody): Promise<Run> {
    const known = this.lab(id).checks.map(check => check.id);
    const unknown = body.only?.find(only => !known.includes(only));
    if (unknown !== undefined)
      throw new Refusal(
        400,
        `The lab ${id} has no check "${unknown}".${suggestion(unknown, known, "checks")}`,
      );
    return this.runs.startCheck(id, body);
  }
}

/** The `refused` of a run that did not start, if that is what it is. */
export function refusedEvent(run: Run): EventOf<"refused"> | undefined {
  if (run.summary().state !== "refused") return undefined;
  const { events } = run.log.read(0, Number.POSITIVE_INFINITY);
  return events.find(event => event.type === "refused");
}
