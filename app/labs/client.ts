// Lab server client. A store of the labs' state, streams for what is too fast for a store, and requests whose failures
// are sentences. It has no React and no DOM, so that a test runs it with a fake socket.
import type { StoreApi } from "zustand/vanilla";
import {
  type CheckBody,
  type LabId,
  type Message,
  type Notice,
  type PaceBody,
  type Problem,
  type Request,
  type RunBody,
  type RunId,
  type RunKind,
  sentence,
  type VisitAnswer,
  type VisitBody,
} from "../../server-labs/protocol.ts";
import { away, type LabApi, tooLongProblem, whyUnproven } from "./api.ts";
import { type LastResults, withResultsOf } from "./check-results.ts";
import { Connection, type ConnectionEnvironment, type ConnectionState } from "./connection.ts";
import { FollowedRuns, type Streams } from "./followed-runs.ts";
import type { RunView } from "./run-log.ts";
import { Sampling } from "./sampling.ts";
import { type LabsState, type LabView, noLab, PageState } from "./state.ts";

type Asked = NonNullable<LabView["asked"]>;

export class LabsClient {
  /** State for views; changes at most once a frame. */
  readonly store: StoreApi<LabsState>;
  readonly #state: PageState;
  /** The HTTP half: texts, visits, lists of labs. */
  readonly api: LabApi;
  /** Output, system calls and kernel samples of runs. */
  readonly streams: Streams;
  readonly #connection: Connection;
  readonly #runs: FollowedRuns;
  /** Kept while no view watches the lab. */
  readonly #results = new Map<LabId, LastResults>();
  readonly #watchers = new Map<LabId, number>();
  /** What was asked for before the lab server was there: it is sent then. A page is drawn before it is connected. */
  readonly #early = new Map<LabId, { asked: Asked; request: Request }>();
  readonly #sampling = new Sampling(request => void this.#connection.send(request));

  constructor(wire: ConnectionEnvironment, files: LabApi) {
    this.api = files;
    this.#state = new PageState();
    this.store = this.#state.store;
    this.#runs = new FollowedRuns({
      onView: (lab, kind, view) => this.#showRun(lab, kind, view),
      onShown: (run, seq) => this.#connection.send({ type: "ack", run, seq }),
    });
    this.streams = this.#runs.streams;
    this.#connection = new Connection(wire, {
      state: state => this.#onConnection(state),
      message: message => this.#onMessage(message),
    });
  }

  /**
   * Follows a lab's runs and files. Each caller must end it; with the last end the page forgets the lab's runs.
   * @returns a function that ends it
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

  /** State of a lab at this moment, for actions. */
  now(lab: LabId): LabView {
    return this.#state.now.labs[lab] ?? noLab;
  }

  /** @returns null if the request was sent; its outcome comes to the store */
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

  /** Sets the speed and the breakpoints of a program; the outcome is the run's `pace`. */
  pace(run: RunId, pace: PaceBody): void {
    this.#send(run, { type: "pace", run, pace });
  }

  /** Lets a stopped program go to its next boundary, to before its next call, or to the next step of a task. */
  step(run: RunId, to: "boundary" | "call" | { task: number }): void {
    const step = typeof to === "string" ? { to } : { to: "task" as const, task: to.task };
    this.#send(run, { type: "step", run, step });
  }

  /** Makes this page the driver of the program, in place of another tab or a shell. */
  drive(run: RunId): void {
    this.#send(run, { type: "drive", run });
  }

  /** Sends clients to a run; its view shows what they do. */
  visit(run: RunId, body: VisitBody): Promise<VisitAnswer | Problem> {
    return this.api.visit(run, body);
  }

  /** Ends a visit of a run. @param visit all open visits if it is left out */
  leave(run: RunId, visit?: string): Promise<{ leaving: number } | Problem> {
    return this.api.leave(run, visit);
  }

  /**
   * Asks for kernel samples of a run, also after a break in the connection.
   * @returns a function that ends it
   */
  sample(run: RunId, everyMs: number): () => void {
    return this.#sampling.add(run, everyMs);
  }

  #showRun(lab: LabId, kind: RunKind, view: RunView): void {
    const known = this.#results.get(lab) ?? {};
    const results = kind === "check" ? withResultsOf(known, view) : known;
    this.#results.set(lab, results);
    this.#state.reportOf(lab, { [kind]: view, results });
  }

  #onMessage(message: Message): void {
    if (message.type === "hello") this.#state.report({ hello: message });
    else if (message.type === "problem") this.#onProblem(message);
    else if (message.type === "clock") this.#runs.addClock(message);
    else if (message.type === "file") {
      const files = { ...this.now(message.lab).files, [message.file]: message.etag };
      this.#state.reportOf(message.lab, { files });
    } else if (message.type !== "lab") this.#runs.addEvent(message);
    else if (this.#watchers.has(message.lab)) {
      this.#state.reportOf(message.lab, { asked: null, problem: null });
      this.#runs.addSummary(message);
    }
  }

  /** The lab whose request failed shows it; every watched lab does when no request is known. */
  #onProblem({ statement, request }: Extract<Notice, { type: "problem" }>): void {
    // A run that has gone has no samples, and its view says already that it has gone.
    if (request === "sample") return;
    const views = Object.entries(this.#state.now.labs);
    const asker = views.find(([, view]) => view.asked && (!request || view.asked === request))?.[0];
    for (const lab of asker ? [asker] : this.#watchers.keys()) {
      this.#state.reportOf(lab, { asked: null, problem: sentence(statement) });
    }
  }

  #onConnection(connection: ConnectionState): void {
    // At once: a draft reads its file again after each break, and must not miss a short one.
    this.#state.set({ connection });
    for (const lab of this.#watchers.keys()) {
      // A request on a lost connection gets no answer.
      if (connection === "ready") this.#watch(lab);
      else this.#state.reportOf(lab, { asked: null });
    }
    if (connection !== "connecting") this.#sendEarly();
    if (connection === "ready") this.#sampling.resend();
  }

  #sendEarly(): void {
    const early = [...this.#early];
    this.#early.clear();
    for (const [lab, { asked, request }] of early) {
      this.#state.setOf(lab, { asked: null });
      this.#ask(lab, asked, request);
    }
  }

  #watch(lab: LabId): void {
    if (!this.#state.now.labs[lab]) this.#state.setOf(lab, { results: this.#results.get(lab) ?? {} });
    this.#connection.send({ type: "watch", lab, from: this.#runs.resumeFrom(lab) });
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
    const { [lab]: _, ...labs } = this.#state.now.labs;
    this.#state.set({ labs });
  }

  #ask(lab: LabId, asked: Asked, request: Request): Problem | null {
    // A double press is one request.
    if (this.now(lab).asked === asked) return null;
    const long = "text" in request && request.text !== undefined ? tooLongProblem(request.text) : null;
    const { state } = this.#connection;
    if (long === null && state === "connecting") {
      this.#early.set(lab, { asked, request });
      this.#state.ask(lab, asked);
      return null;
    }
    const sent = long === null && this.#connection.send(request);
    const cannot = long ?? (state === "ready" || state === "connecting" ? away : whyUnproven[state]);
    const problem = sent ? null : cannot;
    if (problem === null) {
      this.#state.ask(lab, asked);
      return null;
    }
    this.#state.setOf(lab, { asked: null, problem });
    return { problem };
  }

  /** Sends a request about a run; if that fails, the lab shows why. */
  #send(run: RunId, request: Request): void {
    const lab = this.#runs.labOf(run);
    if (lab && !this.#connection.send(request)) this.#state.setOf(lab, { problem: away });
  }
}
