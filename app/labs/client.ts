// The lab server as the page sees it: one small store of how things stand, streams beside it for what is too fast
// for a store, and actions whose failures are sentences. No React, no DOM: a test runs it with a fake socket.
import type { StoreApi } from "zustand/vanilla";
import type {
  CheckBody,
  LabId,
  Message,
  Notice,
  PaceBody,
  Problem,
  Request,
  RunBody,
  RunId,
  VisitAnswer,
  VisitBody,
} from "../../server-labs/protocol.ts";
import { Connection, type ConnectionState, type Wire } from "./connection.ts";
import { away, type Files, locked, tooLong } from "./files.ts";
import { KnownRuns } from "./known-runs.ts";
import { Sampling } from "./sampling.ts";
import { type LabsState, type LabView, noLab, Standing } from "./standing.ts";
import type { Streams } from "./streams.ts";

export class Labs {
  /** How things stand, as it is shown: at most once a frame. */
  readonly store: StoreApi<LabsState>;
  readonly #standing: Standing;
  /** The students' texts, and what else goes by HTTP. */
  readonly files: Files;
  /** What runs print, call and leave in the kernel: too fast for a store. */
  readonly streams: Streams;
  readonly #connection: Connection;
  readonly #runs: KnownRuns;
  readonly #watchers = new Map<LabId, number>();
  readonly #sampling = new Sampling(request => void this.#connection.send(request));

  constructor(wire: Wire, files: Files) {
    this.files = files;
    this.#standing = new Standing();
    this.store = this.#standing.store;
    this.#runs = new KnownRuns({
      view: (lab, kind, view) => this.#standing.hearOf(lab, { [kind]: view }),
      ack: (run, seq) => this.#connection.send({ type: "ack", run, seq }),
    });
    this.streams = this.#runs.streams;
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

  /** How a lab stands at this moment, for whoever is about to do something with it. */
  now(lab: LabId): LabView {
    return this.#standing.now.labs[lab] ?? noLab;
  }

  /** @returns null if it was asked; what came of it is then in the store. */
  run(lab: LabId, body: RunBody = {}): Problem | null {
    return this.#ask(lab, "run", { type: "run", lab, ...body });
  }

  check(lab: LabId, body: CheckBody = {}): Problem | null {
    return this.#ask(lab, "check", { type: "check", lab, ...body });
  }

  stop(run: RunId): Problem | null {
    const lab = this.#runs.labOf(run);
    return lab ? this.#ask(lab, "stop", { type: "stop", run }) : { problem: "That run has already ended." };
  }

  /** How fast a program goes, and where it stops. What came of it is the run's `pace`. */
  pace(run: RunId, pace: PaceBody): void {
    this.#tell(run, { type: "pace", run, pace });
  }

  /** Goes on to the next boundary, or to before the next call. */
  step(run: RunId, to: "boundary" | "call"): void {
    this.#tell(run, { type: "step", run, step: { to } });
  }

  /** Takes the wheel, from whoever has it. */
  drive(run: RunId): void {
    this.#tell(run, { type: "drive", run });
  }

  /** Sends clients against a run; what they do is in its view. */
  visit(run: RunId, body: VisitBody): Promise<VisitAnswer | Problem> {
    return this.files.visit(run, body);
  }

  /** @param visit all that are under way when it is left out */
  leave(run: RunId, visit?: string): Promise<{ leaving: number } | Problem> {
    return this.files.leave(run, visit);
  }

  /**
   * Asks for samples of what the kernel knows of a run, so often in milliseconds; also after a break in the connection.
   * @returns ends it.
   */
  sample(run: RunId, everyMs: number): () => void {
    return this.#sampling.want(run, everyMs);
  }

  #hear(message: Message): void {
    if (message.type === "hello") this.#standing.hear({ hello: message });
    else if (message.type === "problem") this.#problem(message);
    else if (message.type === "file") {
      const files = { ...this.now(message.lab).files, [message.file]: message.etag };
      this.#standing.hearOf(message.lab, { files });
    } else if (message.type !== "lab") this.#runs.take(message);
    else if (this.#watchers.has(message.lab)) {
      this.#standing.hearOf(message.lab, { asked: null, problem: null });
      this.#runs.stand(message);
    }
  }

  /** Told to who asked; to all when nobody did. */
  #problem({ sentence, request }: Extract<Notice, { type: "problem" }>): void {
    // A run that is no longer known has no samples; that it is gone is said by other means.
    if (request === "sample") return;
    const views = Object.entries(this.#standing.now.labs);
    const asker = views.find(([, view]) => view.asked && (!request || view.asked === request))?.[0];
    for (const lab of asker ? [asker] : this.#watchers.keys()) {
      this.#standing.hearOf(lab, { asked: null, problem: sentence });
    }
  }

  #stands(connection: ConnectionState): void {
    // At once: drafts look again whenever it is back, and may not miss that it was away.
    this.#standing.set({ connection });
    for (const lab of this.#watchers.keys()) {
      // What was asked over a connection that is gone will not be answered.
      if (connection === "ready") this.#watch(lab);
      else this.#standing.hearOf(lab, { asked: null });
    }
    if (connection === "ready") this.#sampling.again();
  }

  #watch(lab: LabId): void {
    if (!this.#standing.now.labs[lab]) this.#standing.setOf(lab, {});
    this.#connection.send({ type: "watch", lab, from: this.#runs.wanted(lab) });
  }

  #leave(lab: LabId): void {
    const watchers = this.#watchers.get(lab)! - 1;
    if (watchers > 0) {
      this.#watchers.set(lab, watchers);
      return;
    }
    this.#watchers.delete(lab);
    this.#connection.send({ type: "unwatch", lab });
    this.#runs.forget(lab);
    const { [lab]: _, ...labs } = this.#standing.now.labs;
    this.#standing.set({ labs });
  }

  #ask(lab: LabId, asked: "run" | "check" | "stop", request: Request): Problem | null {
    // Pressed twice is asked once.
    if (this.now(lab).asked === asked) return null;
    const long = "text" in request && request.text !== undefined ? tooLong(request.text) : null;
    const sent = long === null && this.#connection.send(request);
    const cannot = long ?? (this.#connection.state === "locked" ? locked : away);
    const problem = sent ? null : cannot;
    if (problem === null) {
      this.#standing.ask(lab, asked);
      return null;
    }
    this.#standing.setOf(lab, { asked: null, problem });
    return { problem };
  }

  /** Says something to a run; that it could not be said is the lab's problem. */
  #tell(run: RunId, request: Request): void {
    const lab = this.#runs.labOf(run);
    if (lab && !this.#connection.send(request)) this.#standing.setOf(lab, { problem: away });
  }
}
