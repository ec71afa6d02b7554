// One run as the page knows it: its events folded into a view. The state is derived here and nowhere else; the
// summary that the lab server sends only fills in what no event says ("stopping") or what has been evicted.
import type {
  Event,
  EventOf,
  LabId,
  RunId,
  RunKind,
  RunSummary,
  Sandbox,
} from "../../server-labs/protocol.ts";
import { Calls } from "./calls.ts";
import { KernelLog } from "./kernel.ts";
import { isOutput, Output } from "./output.ts";
import { Visits, type VisitView } from "./visits.ts";

/** What panes show of a run; a new object whenever something in it changed. */
export interface RunView {
  run: RunId;
  lab: LabId;
  kind: RunKind;
  state: RunSummary["state"];
  /** The state in words: "listening on 7890", "ended by SIGSEGV (…)". */
  sentence: string;
  /** It has not ended: there is something to stop. */
  live: boolean;
  /** As one would type it; "" until the lab server has said. */
  command: string;
  port: number;
  sandbox: Sandbox | null;
  /** Unix time in milliseconds of `at` 0; 0 until known. */
  began: number;
  listening: EventOf<"listening"> | null;
  /** The newest word on each check, in the order in which they were first named. */
  checks: EventOf<"check">[];
  /** How fast it goes and who says so; null until somebody has said anything. */
  pace: EventOf<"pace"> | null;
  /** How it went when it went last: milliseconds that it waited before each call, 0 at full speed. */
  speed: number;
  /** The ETag of the text that runs; null when it is not known. */
  etag: string | null;
  exited: EventOf<"exited"> | null;
  refused: EventOf<"refused"> | null;
  /** Bytes printed so far, shown or not. */
  outputBytes: number;
  /** System calls made so far, shown or not. */
  calls: number;
  /** Who has come to see it, the newest last. */
  visits: readonly VisitView[];
}

const order: RunSummary["state"][] = ["starting", "running", "listening", "stopping", "exited", "refused"];

export class RunLog {
  readonly run: RunId;
  readonly output = new Output();
  readonly calls = new Calls();
  readonly kernel = new KernelLog();
  /** The next seq wanted: what to ask for after a break in the connection. */
  next = 0;
  #summary: RunSummary;
  #starting: EventOf<"starting"> | null = null;
  #listening: EventOf<"listening"> | null = null;
  #exited: EventOf<"exited"> | null = null;
  #refused: EventOf<"refused"> | null = null;
  #pace: EventOf<"pace"> | null = null;
  #speed = 0;
  #printed = 0;
  #spoke = false;
  #lost: string | null = null;
  readonly #visits = new Visits();
  readonly #checks = new Map<string, EventOf<"check">>();

  constructor(summary: RunSummary) {
    this.run = summary.run;
    this.#summary = summary;
  }

  summarise(summary: RunSummary): void {
    this.#summary = summary;
  }

  /** The lab server no longer knows this run: whatever it was doing, it has ended. */
  lose(sentence: string): void {
    if (this.live) this.#lost = sentence;
  }

  /** Takes the next event. @returns false if it is known already (it was sent again after a break). */
  take(event: Event): boolean {
    if (event.seq < this.next) return false;
    this.next = event.seq + 1;
    if (event.type === "output" || event.type === "output-omitted") this.#printed += event.bytes;
    if (event.type === "gap") this.#printed += event.bytes;
    if (event.type === "output" || event.type === "syscalls") this.#spoke = true;
    if (event.type === "starting") this.#starting = event;
    if (event.type === "listening") this.#listening = event;
    if (event.type === "exited") this.#exited = event;
    if (event.type === "refused") this.#refused = event;
    if (event.type === "pace") {
      this.#pace = event;
      if (event.mode !== "paused") this.#speed = event.mode === "slow" ? event.delayMs : 0;
    }
    if (event.type === "check") this.#checks.set(event.id, event);
    if (event.type === "syscalls" || event.type === "syscalls-omitted") this.calls.add(event);
    if (event.type === "gap" && event.calls > 0) this.calls.add(event);
    if (event.type === "kernel" || event.type === "visit") this.kernel.add(event);
    if (event.type === "visit") this.#visits.take(event);
    if (isOutput(event)) this.output.add(event);
    return true;
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
      sentence: this.#sentence(state),
      live: this.live,
      command: this.#starting?.command ?? "",
      port: this.#listening?.port ?? this.#starting?.port ?? this.#summary.port,
      sandbox: this.#starting?.sandbox ?? null,
      began: this.#starting?.began ?? 0,
      listening: this.#listening,
      checks: [...this.#checks.values()],
      pace: this.#pace,
      speed: this.#speed,
      etag: this.#starting?.etag ?? null,
      exited: this.#exited,
      refused: this.#refused,
      outputBytes: this.#printed,
      calls: this.calls.total,
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

  #sentence(state: RunSummary["state"]): string {
    if (this.#exited) return this.#exited.sentence;
    if (this.#lost) return this.#lost;
    if (this.#refused) return this.#refused.sentence;
    if (state === "listening" && this.#listening) return `listening on ${this.#listening.port}`;
    return state === this.#summary.state ? this.#summary.sentence : state;
  }
}
