// The runs that this page follows: each lab's newest program and newest check, and what has been shown of them. What
// changes is told in slices, so that a flood of output is not a flood of renders.
import type { Event, LabId, Notice, RunId, RunKind, RunSummary } from "../../server-labs/protocol.ts";
import { Acks } from "./acks.ts";
import { isOutput } from "./output.ts";
import { RunLog, type RunView } from "./run-log.ts";
import { Streams } from "./streams.ts";

interface Known {
  log: RunLog;
  acks: Acks;
  lab: LabId;
  kind: RunKind;
}

interface Told {
  /** A run of this lab stands differently now. */
  view(lab: LabId, kind: RunKind, view: RunView): void;
  /** Everything up to seq has been shown. */
  ack(run: RunId, seq: number): void;
}

const restarted = "ended with the lab server, which was started again";
/** Counters follow a flood at most this often, in milliseconds. */
const publishMs = 50;

export class KnownRuns {
  readonly streams: Streams;
  readonly #told: Told;
  readonly #runs = new Map<RunId, Known>();
  readonly #changed = new Set<RunId>();
  #publishing: ReturnType<typeof setTimeout> | undefined;

  constructor(told: Told) {
    this.#told = told;
    this.streams = new Streams({
      find: run => this.#runs.get(run),
      newestProgram: lab => this.#newest(lab, "program")?.log.run,
      ack: (run, seq) => told.ack(run, seq),
    });
  }

  labOf(run: RunId): LabId | undefined {
    return this.#runs.get(run)?.lab;
  }

  /** The next seq wanted of each run of a lab, for a connection that is new. */
  wanted(lab: LabId): Record<RunId, number> {
    const from: Record<RunId, number> = {};
    for (const { log, acks, lab: of } of this.#runs.values()) {
      if (of !== lab) continue;
      from[log.run] = log.next;
      acks.reconnected();
    }
    return from;
  }

  /** How a lab's runs stand, as the lab server says. */
  stand(notice: Extract<Notice, { type: "lab" }>): void {
    for (const kind of ["program", "check"] as const) this.#stands(notice.lab, kind, notice[kind]);
    this.#publish();
  }

  take(event: Event): void {
    const known = this.#runs.get(event.run);
    if (!known) return;
    const isNew = known.log.take(event);
    known.acks.received(event.seq, isNew && isOutput(event));
    this.streams.acknowledge(event.run);
    if (!isNew) return;
    this.streams.told(event);
    // A sample changes nothing of how the run stands.
    if (event.type === "kernel") return;
    this.#changed.add(event.run);
    if (fast.has(event.type)) this.#publishing ??= setTimeout(() => this.#publish(), publishMs);
    else this.#publish();
  }

  forget(lab: LabId): void {
    for (const { log, lab: of } of [...this.#runs.values()]) if (of === lab) this.#forget(log.run);
  }

  #stands(lab: LabId, kind: RunKind, summary: RunSummary | null): void {
    const before = this.#newest(lab, kind);
    if (summary && before?.log.run === summary.run) before.log.summarise(summary);
    // The lab server has no such run any more: what it printed stays to be read.
    else if (!summary) before?.log.lose(restarted);
    else {
      if (before) this.#forget(before.log.run);
      this.#runs.set(summary.run, { log: new RunLog(summary), acks: new Acks(), lab, kind });
      if (kind === "program") this.streams.begins(lab, summary.run);
    }
    const run = summary?.run ?? before?.log.run;
    if (run) this.#changed.add(run);
  }

  #newest(lab: LabId, kind: RunKind): Known | undefined {
    return [...this.#runs.values()].find(known => known.lab === lab && known.kind === kind);
  }

  #forget(run: RunId): void {
    this.#runs.delete(run);
    this.#changed.delete(run);
  }

  #publish(): void {
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const run of changed) {
      const known = this.#runs.get(run);
      if (known) this.#told.view(known.lab, known.kind, known.log.view());
    }
  }
}

/** They come in floods, and change counters only. */
const fast: ReadonlySet<Event["type"]> = new Set([
  "syscalls",
  "syscalls-omitted",
  "gap",
  "output",
  "output-omitted",
  "visit",
] as const);
