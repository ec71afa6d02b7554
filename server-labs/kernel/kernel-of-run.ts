// Kernel of a run. Samples the kernel's state of one program while a page or a shell wants it, as events of the run.
import type { EventLog } from "../events.ts";
import { type KernelSample, pausedStatement } from "../protocol.ts";
import type { TraceReader } from "../trace.ts";
import { linksNow } from "./descriptors.ts";
import { Looker } from "./sample.ts";
import { Sampler } from "./sampler.ts";
import { othersMs, processorMs } from "./turns.ts";

/** What a page or a shell may ask for. */
export interface KernelWatch {
  /** Samples, as `kernel` events of the run, until the result is called. @param everyMs see Sampler.want */
  want(everyMs: number): () => void;
  /** One sample now; null when there is no process. */
  once(): Promise<KernelSample | null>;
  /** When the newest sample was made, in milliseconds of performance.now(), sent or not; null before the first. */
  readonly sampledAt: number | null;
}

/** poll(2) of a program's descriptors with no time-out, answered only while it waits at a boundary. */
export type Peek = (fds: number[]) => Promise<Map<number, number> | null>;

interface Watched {
  log: EventLog;
  reader(): TraceReader;
  /** The program's process; null before it runs and after. */
  pid(): number | null;
  peek: Peek;
  /** The kernel is looked at: what else is sampled is sampled now. */
  onLook(): void;
}

export class KernelOfRun implements KernelWatch {
  readonly #watched: Watched;
  #looker: Looker | null = null;
  readonly #sampler: Sampler;

  constructor(watched: Watched) {
    const { log, reader, onLook } = watched;
    this.#watched = watched;
    this.#sampler = new Sampler({
      look: async () => {
        onLook();
        return (await this.#looker?.look()) ?? null;
      },
      emit: sample => void (log.ended || log.append({ type: "kernel", sample })),
      now: () => performance.now(),
      // In a flood of calls most of it is the reading of the trace, which goes on whether samples are wanted or not.
      spent: () => processorMs() - othersMs() - reader().busyMs,
      later(ms, callback) {
        const timer = setTimeout(callback, ms).unref();
        return () => clearTimeout(timer);
      },
    });
    // After a step the student looks at what the step has done.
    log.onAppend(event => {
      if (event.type === "pace" && event.state === "stopped") this.#sampler.hurry();
    });
  }

  /** The program starts now: what is open belongs to Node. */
  start(): void {
    const { log, reader, pid, peek } = this.#watched;
    const program = pid();
    this.#looker = new Looker(program === null ? new Map() : linksNow(program), {
      pid,
      descriptors: reader().descriptors,
      read: () => reader().read(),
      lost: () => reader().lost,
      paused() {
        const pace = log.newest("pace");
        return pace?.state === "stopped" && pace.stop ? pausedStatement(pace.stop, pace.breakpoints) : null;
      },
      peek,
    });
  }

  /** A record of the trace. */
  see(record: Buffer, again: boolean): void {
    this.#looker?.calls.see(record, again);
  }

  /** See Observer of the trace. */
  moved(result: number, errno: number): void {
    this.#looker?.calls.moved(result, errno);
  }

  /** The program has made this descriptor itself. */
  opened(fd: number): void {
    this.#looker?.opened(fd);
  }

  /** It has called listen(2) on this descriptor. */
  listens(fd: number): void {
    this.#looker?.listens(fd);
  }

  want(everyMs: number): () => void {
    return this.#sampler.want(everyMs);
  }

  get sampledAt(): number | null {
    return this.#sampler.sampledAt;
  }

  once(): Promise<KernelSample | null> {
    return this.#sampler.once();
  }

  close(): void {
    this.#sampler.close();
  }
}
