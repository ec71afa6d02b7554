// One run: a process tree and its events, from "starting" to "exited", or a single "refused". "exited" is said
// when nothing is left: the tree is gone, its pipes are empty, its trace is read, its ports are free. A run belongs
// to the lab server; pages and shells only read its log.
import { setTimeout as sleep } from "node:timers/promises";
import { EventLog } from "./event-log.ts";
import type { KernelWatch } from "./kernel/watch.ts";
import type { Launched } from "./launch.ts";
import { Output } from "./output.ts";
import type { Pacer } from "./pace.ts";
import { type LabId, limits, type RunId, type RunKind, type RunSummary } from "./protocol.ts";
import type { Part, Refusal } from "./run-part.ts";
import type { Visits } from "./visits.ts";

/** Of a tree that is gone, its pipes are empty at once; only a process that escaped could hold them open. */
const drainMs = 1000;

export class Run {
  readonly id: RunId;
  readonly lab: LabId;
  readonly kind: RunKind;
  readonly log: EventLog;
  /** The port that it was told to listen on; 0 for a check. */
  port = 0;
  /** What the kernel knows of it; null for a check, and of a run that never started. */
  kernel: KernelWatch | null = null;
  /** How its program goes through its calls; null for a check. */
  pacer: Pacer | null = null;
  /** Who comes to see it, from this page or a shell; null for a check. */
  visits: Visits | null = null;
  /** Resolves when it has ended and nothing of it is left. Never rejects. */
  readonly ended: Promise<void>;
  readonly #changed: () => void;
  readonly #output: Output;
  #settle!: () => void;
  #state: RunSummary["state"] = "starting";
  #sentence = "starting";
  #tree: Launched | null = null;
  #part: Part | null = null;
  #stopped = false;
  #killed = false;
  #slow: NodeJS.Timeout | null = null;

  /** changed is called whenever summary() would say something new, but for nextSeq. */
  constructor(id: RunId, lab: LabId, kind: RunKind, changed: () => void) {
    this.id = id;
    this.lab = lab;
    this.kind = kind;
    this.log = new EventLog(id);
    this.#changed = changed;
    this.#output = new Output(body => {
      this.log.append(body);
      // Its words go first, and then how it stands: somebody waits for them.
      setImmediate(() => this.#state === "starting" && this.become("running", "running"));
    });
    this.ended = new Promise(resolve => {
      this.#settle = resolve;
    });
  }

  summary(): RunSummary {
    const { id: run, lab, kind, port } = this;
    const nextSeq = this.log.nextSeq;
    const events = `/api/runs/${run}/events`;
    const pace = this.pacer ? { pace: this.pacer.pace } : {};
    return { run, lab, kind, state: this.#state, sentence: this.#sentence, port, nextSeq, events, ...pace };
  }

  /** Does this process belong to it? */
  contains(pid: number): boolean {
    return this.#tree?.contains(pid) ?? false;
  }

  /** What poll(2) says of each of these descriptors; null when the program does not wait at a boundary to say it. */
  async peek(fds: number[]): Promise<Map<number, number> | null> {
    return this.pacer?.peek(fds) ?? null;
  }

  /** Its program itself, as this machine numbers it; null when there is none. */
  program(): number | null {
    return this.#tree?.program() ?? null;
  }

  /** It never starts. */
  refuse(refusal: Refusal): void {
    this.log.append({ type: "refused", ...refusal });
    this.become("refused", refusal.sentence);
    this.#settle();
  }

  /** Starts the process tree; from then on the run ends by itself. A tree that cannot be is a refusal. Never rejects. */
  async start(part: Part): Promise<void> {
    try {
      this.#tree = await part.start();
    } catch (error) {
      await part.dispose();
      return this.refuse({ reason: "cannot-start", sentence: (error as Error).message });
    }
    this.#part = part;
    const { level, sentence } = part.sandbox;
    const began = Math.round(performance.timeOrigin + this.log.began);
    const { lab, kind, port } = this;
    const sandbox = { level, sentence };
    const { command, etag } = part;
    const text = etag === undefined ? {} : { etag };
    this.log.append({ type: "starting", lab, kind, command, port, sandbox, began, ...text });
    const tree = this.#tree;
    const drained = Promise.all([
      this.#output.drain("stdout", tree.stdout),
      this.#output.drain("stderr", tree.stderr),
    ]);
    this.#slow = setTimeout(() => this.#stillStarting(), limits.startMs).unref();
    part.attach(tree);
    this.#changed();
    void this.#end(part, tree, drained);
    // Somebody asked for the end before there was anything to end.
    if (this.#stopped) tree.kill();
  }

  /** SIGTERM, a short grace, SIGKILL. Resolves when nothing of it is left; of an ended run at once. */
  async stop(): Promise<void> {
    if (this.log.ended) return this.ended;
    if (!this.#stopped) {
      this.#stopped = true;
      this.become("stopping", "stopping");
      await this.#terminate();
    }
    return this.ended;
  }

  /** Says how it stands. A run that is stopping, or has ended, is nothing else any more. */
  become(state: RunSummary["state"], sentence: string): void {
    const over = state === "exited" || state === "refused";
    if (!over && state !== "stopping" && this.#stopped) return;
    this.#state = state;
    this.#sentence = sentence;
    this.#changed();
  }

  async #terminate(): Promise<void> {
    const tree = this.#tree;
    if (!tree) return;
    tree.terminate();
    // After the signal: a program that does nothing about it makes no call more.
    this.#part?.terminating?.();
    if (await endsWithin(tree, limits.graceMs)) return;
    // One that has ended itself is not killed: its sandbox is being taken down, which a busy machine takes its time for.
    this.#killed = tree.program() !== null;
    if (this.#killed || !(await endsWithin(tree, limits.graceMs))) tree.kill();
  }

  async #end(part: Part, tree: Launched, drained: Promise<unknown>): Promise<void> {
    let ending = await tree.ended;
    const impatient = setTimeout(() => {
      tree.stdout.destroy();
      tree.stderr.destroy();
    }, drainMs);
    await drained;
    clearTimeout(impatient);
    if (this.#slow) clearTimeout(this.#slow);
    let sentence = "ended; how it ended was lost";
    try {
      const [stopped, killed, lastWords] = [this.#stopped, this.#killed, this.#output.lastWords];
      ({ ending, sentence } = await part.finish({ ending, stopped, killed, lastWords }));
    } catch (error) {
      sentence += `: ${(error as Error).message}`;
    }
    await part.dispose().catch(() => {}); // a folder in <tmp> that stays for the next start to sweep
    const { code, signal } = ending;
    this.log.append({ type: "exited", code, signal, sentence, stopped: this.#stopped });
    this.become("exited", sentence);
    this.#settle();
  }

  #stillStarting(): void {
    // One that is stepped through takes as long as it takes.
    if (this.pacer?.pace.mode === "paused") this.#slow?.refresh();
    else if (this.#state === "starting")
      this.become("running", "running, but it has printed nothing and listens nowhere");
  }
}

async function endsWithin(tree: Launched, ms: number): Promise<boolean> {
  const grace = new AbortController();
  const late = sleep(ms, false, { signal: grace.signal }).catch(() => false);
  const ended = await Promise.race([tree.ended.then(() => true), late]);
  grace.abort();
  return ended;
}
