// Followed runs. Each lab's newest program and newest check run, and streams of what they print, call and leave in the kernel.
// The store gets a change at most every 50 ms, because a flood of output must not be a flood of renders.
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
import { CallList } from "./calls.ts";
import { KernelLog } from "./kernel.ts";
import { isOutput, type OutputListener } from "./output.ts";
import { RunLog, type RunView } from "./run-log.ts";

interface FollowedRun {
  log: RunLog;
  acks: Acks;
  lab: LabId;
  kind: RunKind;
}

interface RunListeners {
  /** The view of a lab's run has changed. */
  onView(lab: LabId, kind: RunKind, view: RunView): void;
  /** The page has shown every event of the run up to seq. */
  onShown(run: RunId, seq: number): void;
}

const publishMs = 50;

/** Events that come in floods and change counters only. */
const floods: ReadonlySet<Event["type"]> = new Set([
  "tasks",
  "syscalls",
  "syscalls-omitted",
  "gap",
  "output",
  "output-omitted",
  "visit",
] as const);

export class FollowedRuns {
  readonly streams: Streams;
  readonly #listeners: RunListeners;
  readonly #runs = new Map<RunId, FollowedRun>();
  readonly #changed = new Set<RunId>();
  #publishing: ReturnType<typeof setTimeout> | undefined;

  constructor(listeners: RunListeners) {
    this.#listeners = listeners;
    this.streams = new Streams({
      find: run => this.#runs.get(run),
      newestProgram: lab => this.#newest(lab, "program")?.log.run,
      onShown: (run, seq) => listeners.onShown(run, seq),
    });
  }

  labOf(run: RunId): LabId | undefined {
    return this.#runs.get(run)?.lab;
  }

  /** For a new connection: the next seq that the page needs of each run of a lab. */
  resumeFrom(lab: LabId): Record<RunId, number> {
    const from: Record<RunId, number> = {};
    for (const { log, acks, lab: of } of this.#runs.values()) {
      if (of !== lab) continue;
      from[log.run] = log.next;
      acks.reconnected();
    }
    return from;
  }

  /** Takes over the lab server's summary of a lab's runs. */
  addSummary(notice: Extract<Notice, { type: "lab" }>): void {
    for (const kind of ["program", "check"] as const) this.#summarise(notice.lab, kind, notice[kind]);
    this.#publish();
  }

  /** Adds an event to its run; an event of a run that is not followed is dropped. */
  addEvent(event: Event): void {
    const followed = this.#runs.get(event.run);
    if (!followed) return;
    const isNew = followed.log.add(event);
    followed.acks.received(event.seq, isNew && isOutput(event));
    this.streams.acknowledge(event.run);
    if (!isNew) return;
    this.streams.notify(event);
    // A kernel sample changes nothing in the run's view.
    if (event.type === "kernel") return;
    this.#changed.add(event.run);
    if (floods.has(event.type)) this.#publishing ??= setTimeout(() => this.#publish(), publishMs);
    else this.#publish();
  }

  /** Adds up to when a run is known. */
  addClock(clock: Extract<Notice, { type: "clock" }>): void {
    this.#runs.get(clock.run)?.log.addClock(clock);
    this.streams.notifyOfClock(clock.run);
  }

  /** Drops the runs of a lab. */
  forget(lab: LabId): void {
    for (const { log, lab: of } of [...this.#runs.values()]) if (of === lab) this.#drop(log.run);
  }

  #summarise(lab: LabId, kind: RunKind, summary: RunSummary | null): void {
    const before = this.#newest(lab, kind);
    if (summary && before?.log.run === summary.run) before.log.summarise(summary);
    // The lab server no longer has the run: what it printed can still be read.
    else if (!summary) before?.log.lose();
    else {
      if (before) this.#drop(before.log.run);
      this.#runs.set(summary.run, { log: new RunLog(summary), acks: new Acks(), lab, kind });
      if (kind === "program") this.streams.startProgram(lab, summary.run);
    }
    const run = summary?.run ?? before?.log.run;
    if (run) this.#changed.add(run);
  }

  #newest(lab: LabId, kind: RunKind): FollowedRun | undefined {
    return [...this.#runs.values()].find(run => run.lab === lab && run.kind === kind);
  }

  #drop(run: RunId): void {
    this.#runs.delete(run);
    this.#changed.delete(run);
  }

  #publish(): void {
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const run of changed) {
      const followed = this.#runs.get(run);
      if (followed) this.#listeners.onView(followed.lab, followed.kind, followed.log.view());
    }
  }
}

/** A listener to the newest program of a lab. */
interface ProgramFollower {
  start(run: RunId): OutputListener;
  /** Ends listening to the present run. */
  leave(): void;
}

interface StreamSource {
  find(run: RunId): Pick<FollowedRun, "log" | "acks"> | undefined;
  newestProgram(lab: LabId): RunId | undefined;
  onShown(run: RunId, seq: number): void;
}

const noCalls = new CallList();
const noKernel = new KernelLog();

/** What is too fast for a store: it comes to each listener when it arrives. A terminal's acknowledgements set the pace. */
export class Streams {
  readonly #source: StreamSource;
  readonly #callListeners = new Map<RunId, Set<() => void>>();
  readonly #kernelListeners = new Map<RunId, Set<() => void>>();
  readonly #followers = new Map<LabId, Set<ProgramFollower>>();
  readonly #unacknowledged = new Set<RunId>();
  #acknowledging: ReturnType<typeof setTimeout> | undefined;

  constructor(source: StreamSource) {
    this.#source = source;
  }

  /**
   * Calls back with what a run printed, from the oldest event that is kept, and then with what it prints.
   * @param options.acks the listener calls drawn() with the seq of each event, and the lab server keeps its pace;
   *   without it the page acknowledges by itself
   * @returns a function that ends it
   */
  onOutput(run: RunId, listener: OutputListener, { acks = false }: { acks?: boolean } = {}): () => void {
    const followed = this.#source.find(run);
    if (!followed) return () => {};
    const unlisten = followed.log.output.listen(listener);
    const leave = acks ? followed.acks.terminal() : () => {};
    return () => {
      unlisten();
      leave();
      this.acknowledge(run);
    };
  }

  /**
   * For a terminal: follows what the newest program of a lab prints, and each newer one from its beginning, before
   * anything else in the page shows it. The terminal acknowledges, as with `acks` of onOutput.
   * @param start is called for each run; the listener that it returns gets the run's events
   * @returns a function that ends it
   */
  followProgram(lab: LabId, start: (run: RunId) => OutputListener): () => void {
    const follower: ProgramFollower = { start, leave: () => {} };
    const followers = this.#followers.get(lab) ?? new Set();
    this.#followers.set(lab, followers.add(follower));
    const run = this.#source.newestProgram(lab);
    if (run) this.#switch(follower, run);
    return () => {
      followers.delete(follower);
      if (followers.size === 0) this.#followers.delete(lab);
      follower.leave();
    };
  }

  /** A terminal has drawn every event of this run up to and including seq. */
  drawn(run: RunId, seq: number): void {
    this.#source.find(run)?.acks.written(seq);
    this.acknowledge(run);
  }

  /** Calls back when calls(run) has changed. @returns a function that ends it */
  onSyscalls(run: RunId, listener: () => void): () => void {
    return addListener(this.#callListeners, run, listener);
  }

  /** The system calls of a run; empty for a run that is not followed. */
  calls(run: RunId | null | undefined): CallList {
    return (run && this.#source.find(run)?.log.calls) || noCalls;
  }

  /** Calls back when kernel(run) has changed. @returns a function that ends it */
  onKernel(run: RunId, listener: () => void): () => void {
    return addListener(this.#kernelListeners, run, listener);
  }

  /** The kernel samples of a run; empty for a run that is not followed. */
  kernel(run: RunId | null | undefined): KernelLog {
    return (run && this.#source.find(run)?.log.kernel) || noKernel;
  }

  // ------------------------------------------------------------------- for FollowedRuns

  /** A new program of this lab has started. */
  startProgram(lab: LabId, run: RunId): void {
    for (const follower of this.#followers.get(lab) ?? []) this.#switch(follower, run);
  }

  /** A new event is in its run's log. */
  notify({ type, run }: Event): void {
    if (type === "kernel" || type === "tasks" || type === "visit") callAll(this.#kernelListeners, run);
    if (type === "syscalls" || type === "syscalls-omitted" || type === "gap")
      callAll(this.#callListeners, run);
  }

  /** The time of a run has come. */
  notifyOfClock(run: RunId): void {
    callAll(this.#kernelListeners, run);
    callAll(this.#callListeners, run);
  }

  /** Acknowledges soon, once for all that comes meanwhile: one message back for each event would double the traffic. */
  acknowledge(run: RunId): void {
    this.#unacknowledged.add(run);
    this.#acknowledging ??= setTimeout(() => {
      this.#acknowledging = undefined;
      for (const run of this.#unacknowledged) {
        const seq = this.#source.find(run)?.acks.due();
        if (typeof seq === "number") this.#source.onShown(run, seq);
      }
      this.#unacknowledged.clear();
    }, limits.flushMs);
  }

  #switch(follower: ProgramFollower, run: RunId): void {
    follower.leave();
    follower.leave = this.onOutput(run, follower.start(run), { acks: true });
  }
}

function callAll(all: Map<RunId, Set<() => void>>, run: RunId): void {
  for (const listener of all.get(run) ?? []) listener();
}

function addListener(all: Map<RunId, Set<() => void>>, run: RunId, listener: () => void): () => void {
  const listeners = all.get(run) ?? new Set();
  all.set(run, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) all.delete(run);
  };
}
