// The runs that this page follows: each lab's newest program and newest check, their streams, and what has been
// shown of them. What changes is told in slices, so that a flood of output is not a flood of renders.
import {
  type Event,
  type LabId,
  limits,
  type Notice,
  type RunId,
  type RunKind,
  type RunSummary,
} from "../../server-labs/protocol.ts";
import { Acks } from "./acks.ts";
import { Calls } from "./calls.ts";
import { KernelLog } from "./kernel.ts";
import { isOutput, type OutputListener } from "./output.ts";
import { RunLog, type RunView } from "./run-log.ts";

interface Known {
  log: RunLog;
  acks: Acks;
  lab: LabId;
  kind: RunKind;
}

interface Follower {
  begin(run: RunId): OutputListener;
  /** Ends hearing the run that it hears now. */
  leave(): void;
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
const noCalls = new Calls();
const noKernel = new KernelLog();

export class KnownRuns {
  readonly #told: Told;
  readonly #runs = new Map<RunId, Known>();
  readonly #callListeners = new Map<RunId, Set<() => void>>();
  readonly #followers = new Map<LabId, Set<Follower>>();
  readonly #kernelListeners = new Map<RunId, Set<() => void>>();
  readonly #changed = new Set<RunId>();
  #publishing: ReturnType<typeof setTimeout> | undefined;
  readonly #unacknowledged = new Set<RunId>();
  #acknowledging: ReturnType<typeof setTimeout> | undefined;

  constructor(told: Told) {
    this.#told = told;
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
    this.#acknowledge(event.run);
    if (!isNew) return;
    if (event.type === "kernel" || event.type === "visit")
      for (const listener of this.#kernelListeners.get(event.run) ?? []) listener();
    // A sample changes nothing of how the run stands.
    if (event.type === "kernel") return;
    const calls = event.type === "syscalls" || event.type === "syscalls-omitted" || event.type === "gap";
    if (calls) for (const listener of this.#callListeners.get(event.run) ?? []) listener();
    const fast =
      calls || event.type === "output" || event.type === "output-omitted" || event.type === "visit";
    this.#changed.add(event.run);
    if (fast) this.#publishing ??= setTimeout(() => this.#publish(), publishMs);
    else this.#publish();
  }

  forget(lab: LabId): void {
    for (const { log, lab: of } of [...this.#runs.values()]) if (of === lab) this.#forget(log.run);
  }

  /** See Labs. */
  onOutput(run: RunId, listener: OutputListener, answers: boolean): () => void {
    const known = this.#runs.get(run);
    if (!known) return () => {};
    const unlisten = known.log.output.listen(listener);
    const leave = answers ? known.acks.terminal() : () => {};
    return () => {
      unlisten();
      leave();
      this.#acknowledge(run);
    };
  }

  /** See Labs. */
  followProgram(lab: LabId, begin: (run: RunId) => OutputListener): () => void {
    const follower: Follower = { begin, leave: () => {} };
    const followers = this.#followers.get(lab) ?? new Set();
    this.#followers.set(lab, followers.add(follower));
    const run = this.#newest(lab, "program")?.log.run;
    if (run) this.#lead(follower, run);
    return () => {
      followers.delete(follower);
      if (followers.size === 0) this.#followers.delete(lab);
      follower.leave();
    };
  }

  #lead(follower: Follower, run: RunId): void {
    follower.leave();
    follower.leave = this.onOutput(run, follower.begin(run), true);
  }

  /** A terminal has drawn everything of this run up to and including seq. */
  drawn(run: RunId, seq: number): void {
    this.#runs.get(run)?.acks.written(seq);
    this.#acknowledge(run);
  }

  onSyscalls(run: RunId, listener: () => void): () => void {
    return listen(this.#callListeners, run, listener);
  }

  onKernel(run: RunId, listener: () => void): () => void {
    return listen(this.#kernelListeners, run, listener);
  }

  kernel(run: RunId | null | undefined): KernelLog {
    return (run && this.#runs.get(run)?.log.kernel) || noKernel;
  }

  calls(run: RunId | null | undefined): Calls {
    return (run && this.#runs.get(run)?.log.calls) || noCalls;
  }

  #stands(lab: LabId, kind: RunKind, summary: RunSummary | null): void {
    const before = this.#newest(lab, kind);
    if (summary && before?.log.run === summary.run) before.log.summarise(summary);
    // The lab server has no such run any more: what it printed stays to be read.
    else if (!summary) before?.log.lose(restarted);
    else {
      if (before) this.#forget(before.log.run);
      this.#runs.set(summary.run, { log: new RunLog(summary), acks: new Acks(), lab, kind });
      if (kind === "program")
        for (const follower of this.#followers.get(lab) ?? []) this.#lead(follower, summary.run);
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

  /** Soon, and once for all that comes meanwhile: one message back for each that comes would double the traffic. */
  #acknowledge(run: RunId): void {
    this.#unacknowledged.add(run);
    this.#acknowledging ??= setTimeout(() => {
      this.#acknowledging = undefined;
      for (const run of this.#unacknowledged) {
        const seq = this.#runs.get(run)?.acks.due();
        if (typeof seq === "number") this.#told.ack(run, seq);
      }
      this.#unacknowledged.clear();
    }, limits.flushMs);
  }
}

function listen(all: Map<RunId, Set<() => void>>, run: RunId, listener: () => void): () => void {
  const listeners = all.get(run) ?? new Set();
  all.set(run, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) all.delete(run);
  };
}
