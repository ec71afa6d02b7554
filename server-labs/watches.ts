// What one page watches: how each of its labs stands, the events of their newest runs from where it has them, and samples
// of those that it looks into; at most a window of events ahead of what it has shown.
import { follow } from "./follow.ts";
import type { Labs, Run } from "./labs.ts";
import { type LabId, limits, type Message, type RunId } from "./protocol.ts";
import { Window } from "./window.ts";

/** One message holds at most this much of JSON, so that a page can acknowledge before its window is full. */
const batchBytes = 64 * 1024;

/** A lab that the page watches: ends its readers, and the seq from which it wants a run of which it has heard. */
interface Watch {
  close(): void;
  from: Record<RunId, number>;
  readers: Map<RunId, AbortController>;
}

export class Watches {
  readonly window = new Window(limits.windowBytes);
  readonly #labs: Labs;
  /** One message to the page, as JSON. */
  readonly #send: (text: string) => void;
  readonly #watches = new Map<LabId, Watch>();
  /** Ends the samples of each run that this page looks into. */
  readonly #samples = new Map<RunId, () => void>();

  constructor(labs: Labs, send: (text: string) => void) {
    this.#labs = labs;
    this.#send = send;
  }

  has(lab: LabId): boolean {
    return this.#watches.has(lab);
  }

  /** Samples of this run so often in milliseconds from now on; 0 for no more. */
  sample(id: RunId, everyMs: number): void {
    this.#samples.get(id)?.();
    this.#samples.delete(id);
    const { kernel } = this.#labs.run(id);
    if (everyMs > 0 && kernel) this.#samples.set(id, kernel.want(everyMs));
  }

  /** From now on, and from these numbers on. */
  async watch(lab: LabId, from: Record<RunId, number>): Promise<void> {
    this.unwatch(lab);
    const watch = { close: this.#labs.runs.open(lab), from, readers: new Map() };
    this.#watches.set(lab, watch);
    this.stands(lab);
    // Only now: a workspace that cannot be written is a sentence, and no reason not to see what runs.
    await this.#labs.workspace.ensure(lab);
  }

  unwatch(lab: LabId): void {
    const watch = this.#watches.get(lab);
    for (const run of watch?.readers.keys() ?? []) this.#leave(run, watch!);
    this.#watches.delete(lab);
    watch?.close();
  }

  /** How a lab stands: its runs, and then the events of those that are new to this page. */
  stands(lab: LabId): void {
    const watch = this.#watches.get(lab);
    if (!watch) return;
    const { program, check } = this.#labs.runs.current(lab);
    const current = [program, check].filter(run => run !== null);
    for (const run of watch.readers.keys())
      if (!current.some(({ id }) => id === run)) this.#leave(run, watch);
    const message: Message = { type: "lab", lab, ...this.#labs.current(lab) };
    this.#send(JSON.stringify(message));
    for (const run of current) if (!watch.readers.has(run.id)) this.#read(run, watch);
  }

  close(): void {
    for (const end of this.#samples.values()) end();
    for (const lab of [...this.#watches.keys()]) this.unwatch(lab);
  }

  #read(run: Run, watch: Watch): void {
    const reader = new AbortController();
    watch.readers.set(run.id, reader);
    void this.#tell(run, watch.from[run.id] ?? 0, reader.signal);
  }

  /** The page forgets a run that is no longer its lab's newest: what it did not acknowledge, it never will. */
  #leave(run: RunId, watch: Watch): void {
    watch.readers.get(run)?.abort();
    watch.readers.delete(run);
    this.#samples.get(run)?.();
    this.#samples.delete(run);
    this.window.forget(run);
  }

  async #tell(run: Run, from: number, signal: AbortSignal): Promise<void> {
    for await (const events of follow(run.log, from, batchBytes, signal)) {
      for (const event of events) {
        await this.window.room(signal);
        if (signal.aborted) return;
        const text = JSON.stringify(event);
        this.window.sent(run.id, event.seq, text.length);
        this.#send(text);
      }
    }
  }
}
