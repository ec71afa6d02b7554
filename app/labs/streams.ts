// What runs print, which calls they make and what the kernel knows of them, for who draws it: too fast for a store, it
// comes to each listener as it is heard. What a terminal has drawn is acknowledged, and what is sent keeps its pace.
import { type Event, type LabId, limits, type RunId } from "../../server-labs/protocol.ts";
import type { Acks } from "./acks.ts";
import { Calls } from "./calls.ts";
import { KernelLog } from "./kernel.ts";
import type { OutputListener } from "./output.ts";
import type { RunLog } from "./run-log.ts";

interface Known {
  log: RunLog;
  acks: Acks;
}

interface Follower {
  begin(run: RunId): OutputListener;
  /** Ends hearing the run that it hears now. */
  leave(): void;
}

/** What it needs of those who know the runs. */
interface Runs {
  find(run: RunId): Known | undefined;
  newestProgram(lab: LabId): RunId | undefined;
  /** Everything up to seq has been shown. */
  ack(run: RunId, seq: number): void;
}

const noCalls = new Calls();
const noKernel = new KernelLog();

export class Streams {
  readonly #runs: Runs;
  readonly #callListeners = new Map<RunId, Set<() => void>>();
  readonly #kernelListeners = new Map<RunId, Set<() => void>>();
  readonly #followers = new Map<LabId, Set<Follower>>();
  readonly #unacknowledged = new Set<RunId>();
  #acknowledging: ReturnType<typeof setTimeout> | undefined;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  /**
   * Hears what a run printed, from the oldest that is kept, and then what it prints.
   * @param options.acks The listener answers for what it is given: it calls drawn() with the seq of each event, and what
   *   is sent keeps its pace. Without it the page answers by itself.
   * @returns ends it.
   */
  onOutput(run: RunId, listener: OutputListener, { acks = false }: { acks?: boolean } = {}): () => void {
    const known = this.#runs.find(run);
    if (!known) return () => {};
    const unlisten = known.log.output.listen(listener);
    const leave = acks ? known.acks.terminal() : () => {};
    return () => {
      unlisten();
      leave();
      this.acknowledge(run);
    };
  }

  /**
   * For a terminal: hears what the newest program of a lab prints, and of each newer one from its beginning. It is
   * told as things are heard, before anything of them is shown elsewhere. It answers for what it is given, as with
   * `acks` of onOutput.
   * @param begin is told of each run; what it returns is given that run's events, from the oldest that is kept
   * @returns ends it.
   */
  followProgram(lab: LabId, begin: (run: RunId) => OutputListener): () => void {
    const follower: Follower = { begin, leave: () => {} };
    const followers = this.#followers.get(lab) ?? new Set();
    this.#followers.set(lab, followers.add(follower));
    const run = this.#runs.newestProgram(lab);
    if (run) this.#lead(follower, run);
    return () => {
      followers.delete(follower);
      if (followers.size === 0) this.#followers.delete(lab);
      follower.leave();
    };
  }

  /** A terminal has drawn everything of this run up to and including seq. */
  drawn(run: RunId, seq: number): void {
    this.#runs.find(run)?.acks.written(seq);
    this.acknowledge(run);
  }

  /** Calls back when calls(run) has changed. @returns ends it. */
  onSyscalls(run: RunId, listener: () => void): () => void {
    return listen(this.#callListeners, run, listener);
  }

  /** The system calls of a run, newest hundred thousand; empty for a run that is not known. */
  calls(run: RunId | null | undefined): Calls {
    return (run && this.#runs.find(run)?.log.calls) || noCalls;
  }

  /** Calls back when kernel(run) has changed. @returns ends it. */
  onKernel(run: RunId, listener: () => void): () => void {
    return listen(this.#kernelListeners, run, listener);
  }

  /** What the kernel knows of a run, as it was sampled; empty for a run that is not known. */
  kernel(run: RunId | null | undefined): KernelLog {
    return (run && this.#runs.find(run)?.log.kernel) || noKernel;
  }

  // ------------------------------------------------------------------- for who hears the lab server

  /** A new program of this lab begins. */
  begins(lab: LabId, run: RunId): void {
    for (const follower of this.#followers.get(lab) ?? []) this.#lead(follower, run);
  }

  /** An event that is new stands in its run's log. */
  told({ type, run }: Event): void {
    if (type === "kernel" || type === "visit") call(this.#kernelListeners, run);
    if (type === "syscalls" || type === "syscalls-omitted" || type === "gap") call(this.#callListeners, run);
  }

  /** Soon, and once for all that comes meanwhile: one message back for each that comes would double the traffic. */
  acknowledge(run: RunId): void {
    this.#unacknowledged.add(run);
    this.#acknowledging ??= setTimeout(() => {
      this.#acknowledging = undefined;
      for (const run of this.#unacknowledged) {
        const seq = this.#runs.find(run)?.acks.due();
        if (typeof seq === "number") this.#runs.ack(run, seq);
      }
      this.#unacknowledged.clear();
    }, limits.flushMs);
  }

  #lead(follower: Follower, run: RunId): void {
    follower.leave();
    follower.leave = this.onOutput(run, follower.begin(run), { acks: true });
  }
}

function call(all: Map<RunId, Set<() => void>>, run: RunId): void {
  for (const listener of all.get(run) ?? []) listener();
}

function listen(all: Map<RunId, Set<() => void>>, run: RunId, listener: () => void): () => void {
  const listeners = all.get(run) ?? new Set();
  all.set(run, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) all.delete(run);
  };
}
