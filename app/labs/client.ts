// The lab server as the page sees it: one small store of how things stand, streams beside it for what is too fast
// for a store, and actions whose failures are sentences. No React, no DOM: a test runs it with a fake socket.

import { createStore, type StoreApi } from "zustand/vanilla";
import {
  type CheckBody,
  type EventOf,
  type LabId,
  type LabSummary,
  limits,
  type Message,
  type Notice,
  type Problem,
  type Request,
  type RunBody,
  type RunId,
  type RunSummary,
} from "../../server-labs/protocol.ts";
import { Acks } from "./acks.ts";
import { Calls } from "./calls.ts";
import { Connection, type ConnectionState, type Wire } from "./connection.ts";
import { away, type Conflict, type Files, type FileText, locked } from "./files.ts";
import { isOutput, type OutputListener } from "./output.ts";
import { RunLog, type RunView } from "./run-log.ts";

/** One lab that somebody on this page looks at. */
export interface LabView {
  program: RunView | null;
  check: RunView | null;
  /** What was asked and has not been answered yet. */
  asked: "run" | "check" | "stop" | null;
  /** What could not be done, in a sentence; gone with the next thing that can. */
  problem: string | null;
  /** ETags of files that were changed since they were read here: file → ETag. */
  files: Record<string, string>;
}

export interface LabsState {
  connection: ConnectionState;
  /** What the lab server said of itself; null until it has once been there. */
  hello: Extract<Notice, { type: "hello" }> | null;
  labs: Record<LabId, LabView>;
}

export const noLab: LabView = { program: null, check: null, asked: null, problem: null, files: {} };

const restarted = "The lab server was started again; this program ended with the old one. Your text is safe.";
/** Counters in the store follow a flood at most this often, in milliseconds. */
const publishMs = 50;
const noCalls = new Calls();

export class Labs {
  readonly store: StoreApi<LabsState>;
  readonly files: Files;
  readonly #connection: Connection;
  readonly #watchers = new Map<LabId, number>();
  readonly #logs = new Map<RunId, { log: RunLog; acks: Acks; lab: LabId; kind: "program" | "check" }>();
  readonly #callListeners = new Map<RunId, Set<() => void>>();
  #publishing: ReturnType<typeof setTimeout> | undefined;
  readonly #changed = new Set<RunId>();
  #acknowledging: ReturnType<typeof setTimeout> | undefined;
  readonly #unacknowledged = new Set<RunId>();

  constructor(wire: Wire, files: Files) {
    this.files = files;
    this.store = createStore<LabsState>(() => ({ connection: "connecting", hello: null, labs: {} }));
    this.#connection = new Connection(wire, {
      state: state => this.#stands(state),
      message: message => this.#hear(message),
    });
  }

  /**
   * Follows a lab's runs and files. Everybody who watches must end it; the last one to do so forgets its runs.
   * @returns ends it.
   */
  watch(lab: LabId): () => void {
    const watchers = this.#watchers.get(lab) ?? 0;
    this.#watchers.set(lab, watchers + 1);
    if (watchers === 0) this.#watch(lab);
    let watching = true;
    return () => {
      if (watching) this.#leave(lab);
      watching = false;
    };
  }

  /** @returns null if it was asked; what came of it is then in the store. */
  run(lab: LabId, body: RunBody = {}): Problem | null {
    return this.#ask(lab, "run", { type: "run", lab, ...body });
  }

  check(lab: LabId, body: CheckBody = {}): Problem | null {
    return this.#ask(lab, "check", { type: "check", lab, ...body });
  }

  stop(run: RunId): Problem | null {
    const lab = this.#logs.get(run)?.lab;
    return lab ? this.#ask(lab, "stop", { type: "stop", run }) : { problem: "That run has already ended." };
  }

  readFile(lab: LabId, file: string): Promise<FileText | Problem> {
    return this.files.read(lab, file);
  }

  saveFile(
    lab: LabId,
    file: string,
    text: string,
    etag: string,
  ): Promise<{ etag: string } | Conflict | Problem> {
    return this.files.save(lab, file, text, etag);
  }

  resetFile(lab: LabId, file: string): Promise<FileText | Problem> {
    return this.files.reset(lab, file);
  }

  list(): Promise<LabSummary[] | Problem> {
    return this.files.labs();
  }

  /**
   * Hears what a run printed, from the oldest that is kept, and then what it prints.
   * @param options.acks The listener answers for what it is given: it calls ack() with the seq of each event when it
   *   has been drawn, and a program that prints faster than that is slowed down. Without it the page answers itself.
   * @returns ends it.
   */
  onOutput(run: RunId, listener: OutputListener, options: { acks?: boolean } = {}): () => void {
    const known = this.#logs.get(run);
    if (!known) return () => {};
    const unlisten = known.log.output.listen(listener);
    const leave = options.acks ? known.acks.terminal() : () => {};
    return () => {
      unlisten();
      leave();
      this.#acknowledge(run);
    };
  }

  /** A terminal has drawn everything of this run up to and including seq. */
  ack(run: RunId, seq: number): void {
    this.#logs.get(run)?.acks.written(seq);
    this.#acknowledge(run);
  }

  /** Calls back when calls(run) has changed. @returns ends it. */
  onSyscalls(run: RunId, listener: () => void): () => void {
    const listeners = this.#callListeners.get(run) ?? new Set();
    this.#callListeners.set(run, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#callListeners.delete(run);
    };
  }

  /** The system calls of a run, newest hundred thousand; empty for a run that is not known. */
  calls(run: RunId | null | undefined): Calls {
    return (run && this.#logs.get(run)?.log.calls) || noCalls;
  }

  // ---------------------------------------------------------------------------------- what comes in

  #hear(message: Message): void {
    if (message.type === "hello") this.store.setState({ hello: message });
    else if (message.type === "lab") this.#runsOf(message);
    else if (message.type === "problem") this.#problem(message);
    else if (message.type === "file") {
      this.#lab(message.lab, lab => ({ files: { ...lab.files, [message.file]: message.etag } }));
    } else this.#event(message);
  }

  #event(event: Exclude<Message, Notice>): void {
    const known = this.#logs.get(event.run);
    if (!known) return;
    const { log, acks } = known;
    const isNew = log.take(event);
    acks.received(event.seq, isNew && isOutput(event));
    this.#acknowledge(event.run);
    if (!isNew) return;
    const quiet = event.type === "output" || event.type === "output-omitted";
    const calls = event.type === "syscalls" || event.type === "syscalls-omitted" || event.type === "gap";
    if (calls) for (const listener of this.#callListeners.get(event.run) ?? []) listener();
    this.#changed.add(event.run);
    if (quiet || calls) this.#publishing ??= setTimeout(() => this.#publish(), publishMs);
    else this.#publish();
  }

  #runsOf(notice: Extract<Notice, { type: "lab" }>): void {
    if (!this.#watchers.has(notice.lab)) return;
    for (const kind of ["program", "check"] as const) this.#runOf(notice.lab, kind, notice[kind]);
    this.#lab(notice.lab, () => ({ asked: null, problem: null }));
    this.#publish();
  }

  #runOf(lab: LabId, kind: "program" | "check", summary: RunSummary | null): void {
    const before = [...this.#logs.values()].find(known => known.lab === lab && known.kind === kind);
    if (summary && before?.log.run === summary.run) before.log.summarise(summary);
    // The lab server has no such run any more: what it printed stays to be read.
    else if (!summary) before?.log.lose(restarted);
    else {
      if (before) this.#forget(before.log.run);
      this.#logs.set(summary.run, { log: new RunLog(summary), acks: new Acks(), lab, kind });
    }
    const run = summary?.run ?? before?.log.run;
    if (run) this.#changed.add(run);
  }

  #problem({ sentence, request }: Extract<Notice, { type: "problem" }>): void {
    const views = Object.entries(this.store.getState().labs);
    const asker = views.find(([, view]) => view.asked && (!request || view.asked === request))?.[0];
    for (const lab of asker ? [asker] : this.#watchers.keys()) {
      this.#lab(lab, () => ({ asked: null, problem: sentence }));
    }
  }

  // ------------------------------------------------------------------------------- how things stand

  #stands(connection: ConnectionState): void {
    this.store.setState({ connection });
    if (connection === "ready") for (const lab of this.#watchers.keys()) this.#watch(lab);
    else for (const lab of this.#watchers.keys()) this.#lab(lab, () => ({ asked: null }));
  }

  #watch(lab: LabId): void {
    if (!this.store.getState().labs[lab]) this.#lab(lab, () => ({}));
    const from: Record<RunId, number> = {};
    for (const { log, acks, lab: of } of this.#logs.values()) {
      if (of !== lab) continue;
      from[log.run] = log.next;
      acks.reconnected();
    }
    this.#connection.send({ type: "watch", lab, from });
  }

  #leave(lab: LabId): void {
    const watchers = this.#watchers.get(lab)! - 1;
    if (watchers > 0) return void this.#watchers.set(lab, watchers);
    this.#watchers.delete(lab);
    this.#connection.send({ type: "unwatch", lab });
    for (const known of [...this.#logs.values()]) if (known.lab === lab) this.#forget(known.log.run);
    const { [lab]: _, ...labs } = this.store.getState().labs;
    this.store.setState({ labs });
  }

  #ask(lab: LabId, asked: "run" | "check" | "stop", request: Request): Problem | null {
    if (this.#connection.send(request)) {
      this.#lab(lab, () => ({ asked, problem: null }));
      return null;
    }
    const problem = this.#connection.state === "locked" ? locked : away;
    this.#lab(lab, () => ({ asked: null, problem }));
    return { problem };
  }

  #forget(run: RunId): void {
    this.#logs.delete(run);
    this.#changed.delete(run);
  }

  /** Soon, and once for all that comes meanwhile: one message back for each that comes would double the traffic. */
  #acknowledge(run: RunId): void {
    this.#unacknowledged.add(run);
    this.#acknowledging ??= setTimeout(() => {
      this.#acknowledging = undefined;
      if (this.#connection.state !== "ready") return;
      for (const run of this.#unacknowledged) {
        const seq = this.#logs.get(run)?.acks.due();
        if (typeof seq === "number") this.#connection.send({ type: "ack", run, seq });
      }
      this.#unacknowledged.clear();
    }, limits.flushMs);
  }

  #publish(): void {
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    for (const run of this.#changed) {
      const known = this.#logs.get(run);
      if (known) this.#lab(known.lab, () => ({ [known.kind]: known.log.view() }));
    }
    this.#changed.clear();
  }

  #lab(lab: LabId, change: (before: LabView) => Partial<LabView>): void {
    this.store.setState(({ labs }) => {
      const before = labs[lab] ?? noLab;
      return { labs: { ...labs, [lab]: { ...before, ...change(before) } } };
    });
  }
}

export type CheckEvent = EventOf<"check">;
