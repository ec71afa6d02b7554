// Draft. One file as the student is typing it: runs the effects that the reducer (draft-state.ts) asks for.
// Three copies exist: this text, the same text in IndexedDB 150 ms later, and the workspace's file half a second later.
import { createStore, type StoreApi } from "zustand/vanilla";
import type { Problem } from "../../server-labs/protocol.ts";
import type { Conflict, FileText } from "../labs.ts";
import type { RecordStorage } from "../storage.ts";
import {
  type DraftEvent,
  type DraftMessage,
  type DraftRecord,
  type DraftState,
  type DraftView,
  type Effect,
  initialState,
  reduce,
} from "./draft-state.ts";

/** What a draft needs around it; no promise rejects. A test gives its own. */
export interface DraftEnvironment {
  read(lab: string, file: string): Promise<FileText | Problem>;
  save(lab: string, file: string, text: string, etag: string): Promise<{ etag: string } | Conflict | Problem>;
  records: RecordStorage<DraftRecord>;
  /** Sends a message to the draft of the same key in other tabs. */
  broadcast(key: string, message: DraftMessage): void;
}

export class Draft {
  readonly store: StoreApi<DraftView>;
  readonly #lab: string;
  readonly #file: string;
  readonly #key: string;
  readonly #environment: DraftEnvironment;
  readonly #timers: Partial<Record<"persist" | "save", ReturnType<typeof setTimeout>>> = {};
  readonly #running = new Set<Promise<void>>();
  #state: DraftState;

  constructor(lab: string, file: string, environment: DraftEnvironment) {
    this.#lab = lab;
    this.#file = file;
    this.#key = `${lab}/${file}`;
    this.#environment = environment;
    // Not crypto.randomUUID, which plain http does not have.
    this.#state = initialState(`${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`);
    this.store = createStore<DraftView>(() => this.#state);
  }

  get state(): DraftView {
    return this.#state;
  }

  /**
   * Shows the text that this browser has at once, then the workspace's.
   * @param starter the lab's first text, to be edited when there is neither
   */
  async load(starter: string | null): Promise<void> {
    const record = await this.#environment.records.get(this.#key);
    this.#dispatch({ type: "recalled", record });
    await this.refresh();
    if (starter !== null) this.#dispatch({ type: "starter", text: starter });
  }

  /** Reads the workspace's file again, as when the lab server is back. */
  refresh(): Promise<void> {
    return this.#settled({ type: "refresh" });
  }

  /** The lab server announced this ETag: the file was changed here, in another tab, or in the student's own editor. */
  changed(etag: string): Promise<void> {
    return this.#settled({ type: "fileChanged", etag });
  }

  /** The student typed. */
  edit(text: string): void {
    this.#dispatch({ type: "typed", text });
  }

  /** Another tab broadcast this. */
  receive(message: DraftMessage): void {
    this.#dispatch({ type: "received", message });
  }

  /** Saves to the workspace now; on Run, Check, blur. Resolves when it is there, or when `problem` says why not. */
  save(): Promise<void> {
    return this.#settled({ type: "save" });
  }

  /** Ends a conflict. The other text is set aside. */
  choose(which: "mine" | "theirs"): Promise<void> {
    return this.#settled({ type: "chosen", which });
  }

  /** The workspace's file was put back to its starter: shows it, and sets the student's text aside. */
  afterReset(file: FileText): Promise<void> {
    return this.#settled({ type: "reset", file });
  }

  /** Shows the text that was set aside, and sets the present one aside. */
  restore(): void {
    this.#dispatch({ type: "restored" });
  }

  /** Writes what is not written yet: the page may be frozen or closed. */
  hide(): void {
    this.#dispatch({ type: "hidden" });
  }

  /** Writes what is not written yet, and nothing after that. */
  close(): void {
    this.#dispatch({ type: "closed" });
  }

  #dispatch(event: DraftEvent): void {
    const [state, effects] = reduce(this.#state, event);
    this.#state = state;
    this.store.setState(state, true);
    for (const effect of effects) this.#run(effect);
  }

  /** Dispatches, and resolves when no answer is awaited any more. */
  async #settled(event: DraftEvent): Promise<void> {
    this.#dispatch(event);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #run(effect: Effect): void {
    const { read, save, records, broadcast } = this.#environment;
    switch (effect.do) {
      case "persist":
        this.#await(records.set(this.#key, { ...effect.record, at: Date.now() }), () => {});
        break;
      case "read":
        this.#await(read(this.#lab, this.#file), answer =>
          this.#dispatch({ type: "readAnswered", id: effect.id, answer }),
        );
        break;
      case "put":
        this.#await(save(this.#lab, this.#file, effect.text, effect.etag), answer =>
          this.#dispatch({ type: "putAnswered", id: effect.id, answer }),
        );
        break;
      case "broadcast":
        broadcast(this.#key, effect.message);
        break;
      case "start": {
        clearTimeout(this.#timers[effect.timer]);
        const type = effect.timer === "save" ? "saveTimer" : "persistTimer";
        this.#timers[effect.timer] = setTimeout(() => this.#dispatch({ type }), effect.ms);
        break;
      }
      case "stop":
        clearTimeout(this.#timers[effect.timer]);
    }
  }

  #await<T>(promise: Promise<T>, then: (answer: T) => void): void {
    const running: Promise<void> = promise.then(then).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
