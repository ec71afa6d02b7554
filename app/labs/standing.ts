// How things stand: at once for whoever acts on it, and at most once a frame for whoever shows it. A press of Run is
// answered by four messages within a few milliseconds, and what the program prints is the last of them. To render for
// each of them, or to ask for a frame before it has come, cost that line a whole frame.
import { createStore, type StoreApi } from "zustand/vanilla";
import type { LabId, Notice } from "../../server-labs/protocol.ts";
import type { ConnectionState } from "./connection.ts";
import type { RunView } from "./run-log.ts";

/** One lab that somebody on this page looks at. */
export interface LabView {
  program: RunView | null;
  check: RunView | null;
  /** What was asked and has not been answered yet. */
  asked: "run" | "check" | "stop" | null;
  /** What could not be done, in a sentence; gone with the next thing that can. */
  problem: string | null;
  /** The newest ETag that was heard of each file: file → ETag. */
  files: Record<string, string>;
}

export interface LabsState {
  connection: ConnectionState;
  /** What the lab server said of itself; null until it has once been there. */
  hello: Extract<Notice, { type: "hello" }> | null;
  labs: Record<LabId, LabView>;
}

export const noLab: LabView = { program: null, check: null, asked: null, problem: null, files: {} };

/**
 * What is answered sooner is never shown as waiting, in milliseconds. It is not only that a word which comes and goes
 * within three frames is a flicker: a browser that was made to draw by a click keeps messages back until it has drawn.
 */
const patienceMs = 50;

/** A frame, at 60 a second, in milliseconds. A timer, as a frame that is asked for is drawn too soon, and then none for so long. */
const frameMs = 17;

export class Standing {
  /** As it is shown. */
  readonly store: StoreApi<LabsState>;
  #now: LabsState = { connection: "connecting", hello: null, labs: {} };
  #showing: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.store = createStore<LabsState>(() => this.#now);
  }

  /** As it is. */
  get now(): LabsState {
    return this.#now;
  }

  /** Something was heard: it is shown with all that is heard in the time of a frame. */
  hear(change: Partial<LabsState>): void {
    this.#now = { ...this.#now, ...change };
    this.#showing ??= setTimeout(() => this.#show(), frameMs);
  }

  /** The same for one lab. */
  hearOf(lab: LabId, change: Partial<LabView>): void {
    this.hear({ labs: this.#with(lab, change) });
  }

  /** Somebody here did something: it is shown at once. */
  set(change: Partial<LabsState>): void {
    this.#now = { ...this.#now, ...change };
    this.#show();
  }

  /** The same for one lab. */
  setOf(lab: LabId, change: Partial<LabView>): void {
    this.set({ labs: this.#with(lab, change) });
  }

  /** Something was asked of the lab server: it is shown when the answer lets wait for itself. */
  ask(lab: LabId, asked: NonNullable<LabView["asked"]>): void {
    this.#now = { ...this.#now, labs: this.#with(lab, { asked, problem: null }) };
    this.#patience ??= setTimeout(() => this.#show(), patienceMs);
  }

  #with(lab: LabId, change: Partial<LabView>): LabsState["labs"] {
    const { labs } = this.#now;
    return { ...labs, [lab]: { ...(labs[lab] ?? noLab), ...change } };
  }

  #show(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#showing);
    this.#patience = undefined;
    this.#showing = undefined;
    this.store.setState(this.#now, true);
  }
}
