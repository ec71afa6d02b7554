// Run log. The events of one run, folded into the view that panes show.
// The state is derived in this file only; the lab server's summary fills in what no event says ("stopping").
import {
  type Event,
  type EventOf,
  type LabId,
  type Notice,
  type RunId,
  type RunKind,
  type RunSummary,
  type Sandbox,
  type Scores,
  type TaskSample,
  type UntracedStatement,
  withScore,
} from "../../server-labs/protocol.ts";
import { CallList } from "./calls.ts";
import { KernelLog } from "./kernel.ts";
import { isOutput, OutputLog } from "./output.ts";
import { VisitLog, type VisitView } from "./visits.ts";

/** What panes show of a run; a new object for each change. */
export interface RunView {
  run: RunId;
  lab: LabId;
  kind: RunKind;
  state: RunSummary["state"];
  /** The state with its facts: on which ports it listens, how it ended, why it did not start. */
  statement: RunSummary["statement"];
  /** The run has not ended: it can be stopped. */
  live: boolean;
  /** The command as a shell takes it; "" until the run starts. */
  command: string;
  /** The port that the run was given; a program may listen on others. */
  port: number;
  sandbox: Sandbox | null;
  /** Unix time in milliseconds of `at` 0; 0 until known. */
  began: number;
  listening: EventOf<"listening"> | null;
  /** Who listens unseen by the trace; null where none does. */
  untraced: UntracedStatement | null;
  /** The newest event of each check of the student's server, in the order of their first events. */
  checks: EventOf<"check">[];
  /** What has come out for each server; null for a run that is no scoreboard. */
  scores: Scores | null;
  /** Speed, breakpoints and driver; null until a page or a shell has set any. */
  pace: EventOf<"pace"> | null;
  /** Milliseconds before each call when the program last ran; 0 at full speed. */
  speed: number;
  /** The ETag of the text that runs; null when it is not known. */
  etag: string | null;
  /** The ETags of the student's own modules that it imports, by their path in the lab's folder. */
  modules: Readonly<Record<string, string>>;
  exited: EventOf<"exited"> | null;
  refused: EventOf<"refused"> | null;
  /** Bytes printed so far, shown or not. */
  outputBytes: number;
  /** System calls made so far, shown or not. */
  calls: number;
  /** The program has tasks, and their trace has so many warnings. */
  tasks: { warned: number } | null;
  /** The clients that were sent, the newest last. */
  visits: readonly VisitView[];
}

const order: RunSummary["state"][] = ["starting", "running", "listening", "stopping", "exited", "refused"];

export class RunLog {
  readonly run: RunId;
  readonly output = new OutputLog();
  readonly calls = new CallList();
  readonly kernel = new KernelLog();
  /** The seq that comes next: after a break in the connection the page asks for it. */
  next = 0;
  #summary: RunSummary;
  #starting: EventOf<"starting"> | null = null;
  #listening: EventOf<"listening"> | null = null;
  #untraced: UntracedStatement | null = null;
  #exited: EventOf<"exited"> | null = null;
  #refused: EventOf<"refused"> | null = null;
  #pace: EventOf<"pace"> | null = null;
  #speed = 0;
  #tasks: TaskSample | null = null;
  #printed = 0;
  #spoke = false;
  #lost = false;
  readonly #visits = new VisitLog();
  readonly #checks = new Map<string, EventOf<"check">>();
  #scores: Scores | null = null;

  constructor(summary: RunSummary) {
    this.run = summary.run;
    this.#summary = summary;
  }

  summarise(summary: RunSummary): void {
    this.#summary = summary;
  }

  /** The lab server no longer knows this run: whatever it was doing, it has ended. */
  lose(): void {
    if (this.live) this.#lost = true;
  }

  /** Adds the next event. @returns false if it is known already (it was sent again after a break). */
  add(event: Event): boolean {
    if (event.seq < this.next) return false;
    this.next = event.seq + 1;
    this.calls.knowUntil(event.at);
    if (event.type === "output" || event.type === "output-omitted") this.#printed += event.bytes;
    if (event.type === "gap") this.#printed += event.bytes;
    if (event.type === "output" || event.type === "syscalls") this.#spoke = true;
    if (event.type === "starting") this.#starting = event;
    if (event.type === "listening") {
      this.#listening = event;
      this.#untraced = event.statement ?? this.#untraced;
    }
    if (event.type === "exited") this.#exited = event;
    if (event.type === "refused") this.#refused = event;
    if (event.type === "pace") {
      this.#pace = event;
      if (event.mode !== "paused") this.#speed = event.mode === "slow" ? event.delayMs : 0;
    }
    if (event.type === "check" && event.server === undefined) this.#checks.set(event.id, event);
    if (event.type === "check" || event.type === "scoreboard") this.#scores = withScore(this.#scores, event);
    if (event.type === "syscalls" || event.type === "syscalls-omitted") this.calls.add(event);
    if (event.type === "gap" && event.calls > 0) this.calls.add(event);
    if (event.type === "kernel" || event.type === "tasks" || event.type === "visit") this.kernel.add(event);
    if (event.type === "tasks") this.#tasks = event.sample;
    if (event.type === "visit") this.#visits.add(event);
    if (isOutput(event)) this.output.add(event);
    return true;
  }

  /** Everything that happened until then is here. */
  addClock({ at, sampled }: Extract<Notice, { type: "clock" }>): void {
    this.calls.knowUntil(at);
    this.kernel.addClock(at, sampled);
  }

  get live(): boolean {
    const state = this.#state();
    return state !== "exited" && state !== "refused";
  }

  view(): RunView {
    const state = this.#state();
    return {
      run: this.run,
      lab: this.#summary.lab,
      kind: this.#summary.kind,
      state,
      statement: this.#statement(state),
      live: this.live,
      command: this.#starting?.command ?? "",
      port: this.#starting?.port ?? this.#summary.port,
      sandbox: this.#starting?.sandbox ?? null,
      began: this.#starting?.began ?? 0,
      listening: this.#listening,
      untraced: this.#untraced,
      checks: [...this.#checks.values()],
      scores: this.#scores,
      pace: this.#pace,
      speed: this.#speed,
      etag: this.#starting?.etag ?? null,
      modules: this.#starting?.modules ?? {},
      exited: this.#exited,
      refused: this.#refused,
      outputBytes: this.#printed,
      calls: this.calls.total,
      tasks: this.#tasks && { warned: this.#tasks.warned },
      visits: this.#visits.list(this.live),
    };
  }

  #state(): RunSummary["state"] {
    if (this.#exited || this.#lost) return "exited";
    if (this.#refused) return "refused";
    const seen = this.#listening ? "listening" : this.#spoke ? "running" : "starting";
    // A run only goes forward: of summary and events, the one that is further on is the newer.
    return order.indexOf(seen) > order.indexOf(this.#summary.state) ? seen : this.#summary.state;
  }

  #statement(state: RunSummary["state"]): RunSummary["statement"] {
    if (this.#exited) return this.#exited.statement;
    if (this.#lost) return { code: "lab-server-restarted" };
    if (this.#refused) return this.#refused.statement;
    const { statement } = this.#summary;
    if (state === "listening" && this.#listening)
      return { code: "listening", ports: [this.#listening.port], asked: 0 };
    if (state === this.#summary.state) return statement;
    return { code: state === "running" || state === "stopping" ? state : "starting" };
  }
}
