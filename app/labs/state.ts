// Page state. What the page knows of the lab server: `now` at once, for actions; the store at most once a frame, for views.
// A press of Run is answered by four messages within a few milliseconds, and the program's first line is the last of
// them. To render for each message, or to ask for a frame before that line has come, delayed the line by a whole frame.
import { createStore, type StoreApi } from "zustand/vanilla";
import type { LabId, Notice } from "../../server-labs/protocol.ts";
import type { LastResults } from "./check-results.ts";
import type { ConnectionState } from "./connection.ts";
import type { RunView } from "./run-log.ts";

/** A lab that the page follows. */
export interface LabView {
  program: RunView | null;
  check: RunView | null;
  /** The last result of each check, over all check runs. */
  results: LastResults;
  /** The request that the lab server has not answered yet. */
  asked: "run" | "check" | "stop" | null;
  /** Why a request failed, in a sentence; null again when the next request succeeds. */
  problem: string | null;
  /** File → the newest ETag that the lab server has announced. */
  files: Record<string, string>;
}

export interface LabsState {
  connection: ConnectionState;
  /** The lab server's own description; null until the first connection. */
  hello: Extract<Notice, { type: "hello" }> | null;
  labs: Record<LabId, LabView>;
}

export const noLab: LabView = {
  program: null,
  check: null,
  results: {},
  asked: null,
  problem: null,
  files: {},
};

/**
 * Milliseconds until a request is shown as waiting. A word that is gone after three frames is a flicker; and a browser
 * that draws because of a click keeps messages back until it has drawn.
 */
const patienceMs = 50;

/** Milliseconds of a frame. A timer, because a requested animation frame comes too soon, and the next one too late. */
const frameMs = 17;

export class PageState {
  /** For views. */
  readonly store: StoreApi<LabsState>;
  #now: LabsState = { connection: "connecting", hello: null, labs: {} };
  #showing: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.store = createStore<LabsState>(() => this.#now);
  }

  /** For actions. */
  get now(): LabsState {
    return this.#now;
  }

  /** The lab server reported a change: it is shown with every other change of the same frame. */
  report(change: Partial<LabsState>): void {
    this.#now = { ...this.#now, ...change };
    this.#showing ??= setTimeout(() => this.#show(), frameMs);
  }

  /** The same for one lab. */
  reportOf(lab: LabId, change: Partial<LabView>): void {
    this.report({ labs: this.#with(lab, change) });
  }

  /** The reader or the connection changed something: it is shown at once. */
  set(change: Partial<LabsState>): void {
    this.#now = { ...this.#now, ...change };
    this.#show();
  }

  /** The same for one lab. */
  setOf(lab: LabId, change: Partial<LabView>): void {
    this.set({ labs: this.#with(lab, change) });
  }

  /** A request was sent: it is shown if no answer comes within `patienceMs`. */
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
