// The kernel's state of one program, put together: who looks, when, and what becomes of it.
import type { EventLog } from "../event-log.ts";
import type { KernelSample } from "../protocol.ts";
import type { TraceReader } from "../trace.ts";
import { linksNow } from "./descriptors.ts";
import { Looker } from "./look.ts";
import { Sampler } from "./sampler.ts";

/** What a page or a shell may ask. */
export interface KernelWatch {
  /** Samples, as `kernel` events of the run, until the result is called. @param everyMs see Sampler.want */
  want(everyMs: number): () => void;
  /** One sample now; null when there is no process. */
  once(): Promise<KernelSample | null>;
}

/** poll(2) of a program's descriptors with no time-out, answered only while it waits at a boundary. */
export type Peek = (fds: number[]) => Promise<Map<number, number> | null>;

interface Watched {
  log: EventLog;
  reader(): TraceReader;
  /** The program's process; null before it runs and after. */
  pid(): number | null;
  peek: Peek;
}

export class KernelOfRun implements KernelWatch {
  readonly #watched: Watched;
  #looker: Looker | null = null;
  readonly #sampler: Sampler;

  constructor(watched: Watched) {
    const { log, reader } = watched;
    this.#watched = watched;
    this.#sampler = new Sampler({
      look: async () => (await this.#looker?.look()) ?? null,
      emit: sample => void (log.ended || log.append({ type: "kernel", sample })),
      now: () => performance.now(),
      spent: () => {
        const { user, system } = process.cpuUsage();
        // In a flood of calls most of it is the reading of the trace, which goes on whether somebody looks or not.
        return (user + system) / 1000 - reader().busyMs;
      },
      later(ms, callback) {
        const timer = setTimeout(callback, ms).unref();
        return () => clearTimeout(timer);
      },
    });
    // Who steps looks at what the step has done.
    log.onAppend(event => {
      if (event.type === "pace" && event.state === "stopped") this.#sampler.hurry();
    });
  }

  /** The program is about to begin: what is open now is Node's own. */
  begin(): void {
    const { log, reader, pid, peek } = this.#watched;
    const program = pid();
    this.#looker = new Looker(program === null ? new Map() : linksNow(program), {
      pid,
      read: () => reader().read(),
      lost: () => reader().lost,
      paused() {
        const pace = log.newest("pace");
        return pace?.state === "stopped" ? pace.sentence : null;
      },
      peek,
    });
  }

  /** A record of the trace. */
  see(record: Buffer, again: boolean): void {
    this.#looker?.calls.see(record, again);
  }

  /** See Observer of the trace. */
  moved(fd: number, result: number, errno: number): void {
    this.#looker?.calls.moved(fd, result, errno);
  }

  want(everyMs: number): () => void {
    return this.#sampler.want(everyMs);
  }

  once(): Promise<KernelSample | null> {
    return this.#sampler.once();
  }

  close(): void {
    this.#sampler.close();
  }
}
