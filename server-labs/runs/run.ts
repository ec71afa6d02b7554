// Run. A process tree and its events, from "starting" to "exited", or a single "refused".
// "exited" comes when nothing is left: the tree is gone, its pipes are empty, its trace is read, its ports are free. A
// run belongs to the lab server; pages and shells only read its log.
import { setTimeout as sleep } from "node:timers/promises";
import { EventLog } from "../events.ts";
import type { KernelWatch } from "../kernel.ts";
import { heapMegabytes } from "../lib/node-flags.ts";
import { isSystemError } from "../lib/system-error.ts";
import type { Pacer } from "../pace.ts";
import type { Ending, Launched } from "../process.ts";
import {
  type EndingStatement,
  type EndStatement,
  type ExceededStatement,
  type LabId,
  limits,
  type RefusalStatement,
  type RefusedReason,
  type RunId,
  type RunKind,
  type RunSummary,
  type Sandbox,
  type TaskSample,
} from "../protocol.ts";
import type { Visits } from "../visits.ts";
import { RunOutput } from "./output.ts";
import { type FolderUse, Watchdog } from "./watchdog.ts";

/** What kind of process a run is: how it is started and ended, and what becomes of it. A run knows when. */
export interface Part {
  /** As one would type it: "server.ts 7890". */
  command: string;
  sandbox: Sandbox;
  /** The ETag of the text that runs or is checked. */
  etag?: string;
  /** Those of the modules that it imports, by their path in the lab's folder. */
  modules?: Record<string, string>;
  /** @throws Error with a sentence when there can be no tree */
  start(): Promise<Launched>;
  /** Measures the lab's folder, which it may fill. */
  folderUse(): Promise<FolderUse>;
  /** The tree lives: talk to it. */
  attach(tree: Launched): void;
  /** The tree has been asked to end. */
  onTerminate?(): void;
  /** The tree is gone and all that it printed is in the log: append the rest. @returns how it ended */
  finish(end: HowItEnded): Promise<{ ending: Ending; statement: EndStatement }>;
  /** Always the last method that is called, also when there never was a tree. */
  dispose(): Promise<void>;
}

export interface HowItEnded {
  ending: Ending;
  /** A page or a shell asked for the end. */
  stopped: boolean;
  /** SIGTERM was not enough. */
  killed: boolean;
  /** The end of what it printed on stderr. */
  lastWords: string;
  /** What it had too much of, and was ended for; null else. */
  exceeded: ExceededStatement | null;
}

/** Why a run does not start. */
export interface RefusedStart {
  reason: RefusedReason;
  statement: RefusalStatement;
}

/** The pipes of a tree that is gone are empty at once; only a process that escaped could hold them open. */
export const drainMs = 1000;

export class ProcessRun {
  readonly id: RunId;
  readonly lab: LabId;
  readonly kind: RunKind;
  readonly log: EventLog;
  /** The port that the program was given to listen on; 0 for a check. */
  port = 0;
  /** What the kernel knows of its program; null for a check, and of a run that never started. */
  kernel: KernelWatch | null = null;
  /** What its tasks do; null as for the kernel. */
  tasks: { now(): TaskSample | null } | null = null;
  /** How its program goes through its calls; null for a check. */
  pacer: Pacer | null = null;
  /** Clients sent from a page or a shell; null for a check. */
  visits: Visits | null = null;
  /** Resolves when it has ended and nothing of it is left. Never rejects. */
  readonly ended: Promise<void>;
  readonly #changed: () => void;
  readonly #unexpected: (error: unknown) => void;
  readonly #output: RunOutput;
  #settle!: () => void;
  #state: RunSummary["state"] = "starting";
  #statement: RunSummary["statement"] = { code: "starting" };
  #tree: Launched | null = null;
  #part: Part | null = null;
  #stopped = false;
  #killed = false;
  #slow: NodeJS.Timeout | null = null;
  #exceeded: ExceededStatement | null = null;

  /**
   * @param changed called whenever summary() has changed, but for nextSeq
   * @param unexpected called with errors that are mistakes of the lab server
   */
  constructor(
    id: RunId,
    lab: LabId,
    kind: RunKind,
    changed: () => void,
    unexpected: (error: unknown) => void = () => {},
  ) {
    this.id = id;
    this.lab = lab;
    this.kind = kind;
    this.log = new EventLog(id);
    this.#changed = changed;
    this.#unexpected = unexpected;
    this.#output = new RunOutput(body => {
      this.log.append(body);
      // The reader waits for the output, so the output goes first, and then the state.
      setImmediate(() => this.#state === "starting" && this.become("running", { code: "running" }));
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
    return { run, lab, kind, state: this.#state, statement: this.#statement, port, nextSeq, events, ...pace };
  }

  /** Does this process belong to the run? */
  contains(pid: number): boolean {
    return this.#tree?.contains(pid) ?? false;
  }

  /** See Wrapper.peek; null when the program does not wait at a boundary. */
  async peek(fds: number[]): Promise<Map<number, number> | null> {
    return this.pacer?.peek(fds) ?? null;
  }

  /** The pid of its program on this machine; null when no program runs. */
  program(): number | null {
    return this.#tree?.program() ?? null;
  }

  /** It never starts. */
  refuse({ reason, statement }: RefusedStart): void {
    this.log.append({ type: "refused", reason, statement });
    this.become("refused", statement);
    this.#settle();
  }

  /** It never starts, although it was prepared. Resolves when that is undone. Never rejects. */
  async abandon(part: Part, refusal: RefusedStart): Promise<void> {
    await this.#dispose(part);
    this.refuse(refusal);
  }

  /** Starts the process tree; from then on the run ends by itself. Without a tree it is refused. Never rejects. */
  async start(part: Part): Promise<void> {
    try {
      this.#tree = await part.start();
    } catch (error) {
      const text = (error as Error).message;
      return this.abandon(part, { reason: "cannot-start", statement: { code: "process-not-started", text } });
    }
    this.#part = part;
    const { level, statement } = part.sandbox;
    const began = Math.round(performance.timeOrigin + this.log.startedAt);
    const { lab, kind, port } = this;
    const sandbox = { level, statement };
    const { command, etag, modules } = part;
    const text = { ...(etag === undefined ? {} : { etag }), ...(modules === undefined ? {} : { modules }) };
    this.log.append({ type: "starting", lab, kind, command, port, sandbox, began, ...text });
    const tree = this.#tree;
    const drained = Promise.all([
      this.#output.drain("stdout", tree.stdout),
      this.#output.drain("stderr", tree.stderr),
    ]);
    this.#slow = setTimeout(() => this.#stillStarting(), limits.startMs).unref();
    try {
      part.attach(tree);
    } catch (error) {
      // A tree that is not followed is ended: a run without an end would keep every later one of its lab waiting.
      this.#unexpected(error);
      tree.kill();
    }
    this.#changed();
    void this.#end(part, tree, drained);
    // The request to stop may have come before there was a tree to end.
    if (this.#stopped) tree.kill();
  }

  /** SIGTERM, limits.graceMs, SIGKILL. Resolves when nothing of it is left; of an ended run at once. */
  async stop(): Promise<void> {
    if (this.log.ended) return this.ended;
    if (!this.#stopped) {
      this.#stopped = true;
      this.become("stopping", { code: "stopping" });
      await this.#terminate();
    }
    return this.ended;
  }

  /** Sets its state. A run that is stopping, or has ended, does not go back to another state. */
  become(state: RunSummary["state"], statement: RunSummary["statement"]): void {
    const over = state === "exited" || state === "refused";
    if (!over && state !== "stopping" && this.#stopped) return;
    this.#state = state;
    this.#statement = statement;
    this.#changed();
  }

  async #terminate(): Promise<void> {
    const tree = this.#tree;
    if (!tree) return;
    tree.terminate();
    // After the signal: a program that does not handle it makes no further call.
    this.#part?.onTerminate?.();
    if (await endsWithin(tree, limits.graceMs)) return;
    // A program that has ended by itself is not killed: its sandbox is being taken down, which takes time on a busy machine.
    this.#killed = tree.program() !== null;
    if (this.#killed || !(await endsWithin(tree, limits.graceMs))) tree.kill();
  }

  async #end(part: Part, tree: Launched, drained: Promise<unknown>): Promise<void> {
    const watchdog = new Watchdog(tree, part.folderUse, statement => {
      this.#exceeded = statement;
      tree.kill();
    });
    let ending = await tree.ended;
    const impatient = setTimeout(() => {
      tree.stdout.destroy();
      tree.stderr.destroy();
    }, drainMs);
    await drained;
    clearTimeout(impatient);
    if (this.#slow) clearTimeout(this.#slow);
    watchdog.close();
    const [stopped, killed, lastWords] = [this.#stopped, this.#killed, this.#output.lastWords];
    const exceeded = this.#exceeded ?? tree.cgroup?.exceeded() ?? null;
    let statement: EndStatement;
    try {
      ({ ending, statement } = await part.finish({ ending, stopped, killed, lastWords, exceeded }));
    } catch (error) {
      statement = { code: "ending-lost", text: (error as Error).message };
    }
    await this.#dispose(part);
    const { code, signal } = ending;
    this.log.append({ type: "exited", code, signal, statement, stopped: this.#stopped });
    this.become("exited", statement);
    this.#settle();
  }

  /** Never rejects: the run has to come to its end, or the next one of its lab would wait for it for ever. */
  async #dispose(part: Part): Promise<void> {
    try {
      await part.dispose();
    } catch (error) {
      // Of the file system: a folder in <tmp> that stays for the next start to sweep.
      if (!isSystemError(error)) this.#unexpected(error);
    }
  }

  #stillStarting(): void {
    // A program that the reader steps through takes as long as the reader takes.
    if (this.pacer?.pace.mode === "paused") this.#slow?.refresh();
    else if (this.#state === "starting") this.become("running", { code: "running-silently" });
  }
}

/** How a process ended, in a person's terms. */
export function endingStatement({
  ending,
  stopped,
  killed,
  lastWords,
  exceeded,
}: HowItEnded): EndingStatement {
  const { code, signal } = ending;
  if (exceeded) return exceeded;
  // Between the signal that it was sent last and its end it may have ended of the first one.
  if (stopped && killed && signal === "SIGKILL")
    return { code: "killed-after-grace", graceMs: limits.graceMs };
  if (stopped) return { code: "stopped" };
  if ((signal === "SIGABRT" || signal === "SIGTRAP") && lastWords.includes("JavaScript heap out of memory"))
    return { code: "out-of-memory", heapMegabytes };
  return signal === null ? { code: "exited-with", status: code } : { code: "ended-by-signal", signal };
}

async function endsWithin(tree: Launched, ms: number): Promise<boolean> {
  const grace = new AbortController();
  const late = sleep(ms, false, { signal: grace.signal }).catch(() => false);
  const ended = await Promise.race([tree.ended.then(() => true), late]);
  grace.abort();
  return ended;
}
