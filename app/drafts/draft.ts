// One file as the student is typing it. Three copies exist: this text, the same text in IndexedDB 150 ms later, and
// the workspace's file half a second later. Whatever happens between them, no version of the student's is dropped.
import type { StoreApi } from "zustand/vanilla";
import type { FileText } from "../labs.ts";
import type { Surroundings, Word } from "./kept.ts";
import { type DraftState, Standing } from "./standing.ts";

/** Milliseconds after the last key press. */
export const pauses = { keep: 150, save: 500, again: 5000 } as const;

export class Draft {
  readonly store: StoreApi<DraftState>;
  readonly #lab: string;
  readonly #file: string;
  readonly #key: string;
  readonly #around: Surroundings;
  readonly #standing = new Standing();
  #keepTimer: ReturnType<typeof setTimeout> | undefined;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> | null = null;

  constructor(lab: string, file: string, around: Surroundings) {
    this.#lab = lab;
    this.#file = file;
    this.#key = `${lab}/${file}`;
    this.#around = around;
    this.store = this.#standing.store;
  }

  get state(): DraftState {
    return this.#standing.state;
  }

  /**
   * Shows what this browser remembers at once, then what the workspace has.
   * @param starter the lab's first text, to be edited when neither is there.
   */
  async load(starter: string | null): Promise<void> {
    const kept = await this.#around.keep.get(this.#key);
    if (kept && !this.state.loaded) this.#standing.remembered(kept);
    await this.refresh();
    if (!this.state.loaded && starter !== null) this.#standing.begins(starter);
  }

  /** Looks at the workspace's file again: it was changed, or the lab server is back. */
  async refresh(): Promise<void> {
    const file = await this.#around.read(this.#lab, this.#file);
    if ("problem" in file) {
      if (this.state.saved !== "saved") this.#standing.set({ saved: "unsaved", problem: file.problem });
      return;
    }
    this.#meet(file);
  }

  /** The workspace's file was changed: by us, in another tab, or in the student's own editor. */
  async changed(etag: string): Promise<void> {
    await this.#saving; // our own save is announced before its answer comes
    if (this.#standing.base?.etag !== etag) await this.refresh();
  }

  /** The student typed. */
  edit(text: string): void {
    if (text === this.state.text) return;
    this.#standing.typed(text);
    this.#tell();
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => void this.keep(), pauses.keep);
    this.#saveIn(pauses.save);
  }

  /** Another tab typed or saved: show it. That tab keeps it, saves it, and asks when there is a conflict. */
  mirror(word: Word): void {
    clearTimeout(this.#saveTimer);
    this.#standing.mirrors(word);
  }

  /** Writes this browser's copy now, as when the page is about to go away. */
  async keep(): Promise<void> {
    clearTimeout(this.#keepTimer);
    if (!this.state.loaded) return;
    const { text, setAside } = this.state;
    await this.#around.keep.set(this.#key, { text, base: this.#standing.base, setAside, at: Date.now() });
  }

  /** Saves to the workspace now; on Run, Check, blur. Resolves when it is there, or when `problem` says why not. */
  save(): Promise<void> {
    clearTimeout(this.#saveTimer);
    this.#saving ??= this.#save().finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  /** Ends a conflict. What was not chosen is set aside, not lost. */
  async choose(which: "mine" | "theirs"): Promise<void> {
    const { conflict } = this.state;
    if (!conflict) return;
    this.#standing.base = { text: conflict.theirs, etag: conflict.etag };
    if (which === "mine") this.#standing.set({ conflict: null, saved: "edited", setAside: conflict.theirs });
    else this.#show(conflict.theirs, conflict.mine);
    await this.keep();
    if (which === "mine") await this.save();
  }

  /** The workspace's file was put back to its starter: show it, and set the student's text aside. */
  async afterReset(file: FileText): Promise<void> {
    this.#standing.base = file;
    this.#show(file.text, this.state.text);
    await this.keep();
  }

  /** Brings back the text that was set aside, and sets the present one aside. */
  restore(): void {
    const { setAside, text } = this.state;
    if (setAside === null) return;
    this.edit(setAside);
    this.#standing.set({ setAside: text });
  }

  close(): void {
    void this.keep();
    if (this.state.saved === "edited") void this.save();
    clearTimeout(this.#saveTimer);
  }

  async #save(): Promise<void> {
    // Once more when the student has typed meanwhile: what is said to be saved must be what is seen.
    while (this.#standing.toSave) {
      const { text } = this.state;
      const etag = this.#standing.base?.etag;
      if (!etag) {
        // Begun without a lab server: see first what is there.
        await this.refresh();
        if (this.#standing.base?.etag) continue;
        if (!this.state.conflict) this.#standing.set({ saved: "unsaved" });
        return;
      }
      this.#standing.set({ saved: "saving" });
      const answer = await this.#around.save(this.#lab, this.#file, text, etag);
      if ("problem" in answer) {
        this.#standing.set({ saved: "unsaved", problem: answer.problem });
        this.#saveIn(pauses.again);
        return;
      }
      if ("conflict" in answer) {
        if (!this.#meet(answer.conflict)) return;
      } else {
        this.#standing.base = { text, etag: answer.etag };
        this.#tell();
      }
    }
    if (!this.#standing.settled) return;
    this.#standing.set({ saved: "saved", problem: null });
    await this.keep();
  }

  /** The workspace's file is this. @returns whether text and file can go on from here without a choice. */
  #meet(file: FileText): boolean {
    const whose = this.#standing.meets(file);
    if (whose === "theirs") void this.keep();
    if (whose === "mine" && this.state.saved === "edited") this.#saveIn(pauses.save);
    return whose !== "conflict";
  }

  #show(text: string, aside: string): void {
    this.#standing.replaces(text, aside);
    this.#tell();
  }

  #tell(): void {
    this.#around.tell({ key: this.#key, text: this.state.text, base: this.#standing.base });
  }

  #saveIn(ms: number): void {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => void this.save(), ms);
  }
}
