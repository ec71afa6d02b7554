// One file as the student is typing it. Three copies exist: this text, the same text in IndexedDB 150 ms later, and
// the workspace's file half a second later. Whatever happens between them, no version of the student's is dropped.
import { createStore, type StoreApi } from "zustand/vanilla";
import type { FileText } from "../labs.ts";
import { type Base, differ, type Surroundings, type Word } from "./kept.ts";

/** saved · edited: not in the workspace yet · saving · unsaved: could not be saved, see `problem` · conflict */
export type DraftSaved = "saved" | "edited" | "saving" | "unsaved" | "conflict";

export interface DraftState {
  /** False until a text is there to edit. */
  loaded: boolean;
  text: string;
  saved: DraftSaved;
  /** Why it is not saved, in a sentence; the text is safe in this browser. */
  problem: string | null;
  /** The file was changed outside while this text was being edited: both, until the student chooses. */
  conflict: { mine: string; theirs: string; etag: string } | null;
  /** A text that the student set aside (took theirs, reset): it can be had back. */
  setAside: string | null;
}

/** Milliseconds after the last key press. */
export const pauses = { keep: 150, save: 500, again: 5000 } as const;

export class Draft {
  readonly store: StoreApi<DraftState>;
  readonly #key: string;
  readonly #around: Surroundings;
  #base: Base | null = null;
  /** The text came from another tab, which is answerable for it. */
  #mirrored = false;
  #keepTimer: ReturnType<typeof setTimeout> | undefined;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> | null = null;
  readonly #lab: string;
  readonly #file: string;

  constructor(lab: string, file: string, around: Surroundings) {
    this.#lab = lab;
    this.#file = file;
    this.#key = `${lab}/${file}`;
    this.#around = around;
    this.store = createStore<DraftState>(() => ({
      loaded: false,
      text: "",
      saved: "saved",
      problem: null,
      conflict: null,
      setAside: null,
    }));
  }

  get state(): DraftState {
    return this.store.getState();
  }

  /**
   * Shows what this browser remembers at once, then what the workspace has.
   * @param starter the lab's first text, to be edited when neither is there.
   */
  async load(starter: string | null): Promise<void> {
    const kept = await this.#around.keep.get(this.#key);
    if (kept && !this.state.loaded) {
      this.#base = kept.base;
      const saved = differ(kept.text, kept.base?.text) ? "edited" : "saved";
      this.#set({ loaded: true, text: kept.text, setAside: kept.setAside ?? null, saved });
    }
    await this.refresh();
    if (this.state.loaded || starter === null) return;
    this.#base = { text: starter, etag: null };
    this.#set({ loaded: true, text: starter });
  }

  /** Looks at the workspace's file again: it was changed, or the lab server is back. */
  async refresh(): Promise<void> {
    const file = await this.#around.read(this.#lab, this.#file);
    if ("problem" in file) {
      if (this.state.saved !== "saved") this.#set({ saved: "unsaved", problem: file.problem });
      return;
    }
    this.#meet(file);
  }

  /** The workspace's file was changed: by us, in another tab, or in the student's own editor. */
  async changed(etag: string): Promise<void> {
    await this.#saving; // our own save is announced before its answer comes
    if (this.#base?.etag !== etag) await this.refresh();
  }

  /** The student typed. */
  edit(text: string): void {
    if (text === this.state.text) return;
    const conflict = this.state.conflict && { ...this.state.conflict, mine: text };
    this.#set({ loaded: true, text, conflict, saved: conflict ? "conflict" : "edited" });
    this.#mirrored = false;
    this.#tell();
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => void this.keep(), pauses.keep);
    this.#saveIn(pauses.save);
  }

  /** Another tab typed or saved: show it. That tab keeps it, saves it, and asks when there is a conflict. */
  mirror({ text, base }: Word): void {
    this.#base = base;
    this.#mirrored = true;
    clearTimeout(this.#saveTimer);
    const saved = differ(text, base?.text) ? "edited" : "saved";
    this.#set({ loaded: true, text, saved, conflict: null, problem: null });
  }

  /** Writes this browser's copy now, as when the page is about to go away. */
  async keep(): Promise<void> {
    clearTimeout(this.#keepTimer);
    if (!this.state.loaded) return;
    const { text, setAside } = this.state;
    await this.#around.keep.set(this.#key, { text, base: this.#base, setAside, at: Date.now() });
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
    this.#base = { text: conflict.theirs, etag: conflict.etag };
    if (which === "mine") this.#set({ conflict: null, saved: "edited", setAside: conflict.theirs });
    else this.#replace(conflict.theirs, conflict.mine);
    await this.keep();
    if (which === "mine") await this.save();
  }

  /** The workspace's file was put back to its starter: show it, and set the student's text aside. */
  async afterReset(file: FileText): Promise<void> {
    this.#base = file;
    this.#replace(file.text, this.state.text);
    await this.keep();
  }

  /** Brings back the text that was set aside, and sets the present one aside. */
  restore(): void {
    const { setAside, text } = this.state;
    if (setAside === null) return;
    this.edit(setAside);
    this.#set({ setAside: text });
  }

  close(): void {
    void this.keep();
    if (this.state.saved === "edited") void this.save();
    clearTimeout(this.#saveTimer);
  }

  #replace(text: string, aside: string): void {
    this.#set({
      text,
      conflict: null,
      saved: "saved",
      problem: null,
      setAside: differ(aside, text) ? aside : null,
    });
    this.#mirrored = false;
    this.#tell();
  }

  async #save(): Promise<void> {
    // Once more when the student has typed meanwhile: what is said to be saved must be what is seen.
    while (
      this.state.loaded &&
      !this.#mirrored &&
      !this.state.conflict &&
      differ(this.state.text, this.#base?.text)
    ) {
      const { text } = this.state;
      const etag = this.#base?.etag;
      if (!etag) {
        // Begun without a lab server: see first what is there.
        await this.refresh();
        if (this.#base?.etag) continue;
        if (!this.state.conflict) this.#set({ saved: "unsaved" });
        return;
      }
      this.#set({ saved: "saving" });
      const answer = await this.#around.save(this.#lab, this.#file, text, etag);
      if ("problem" in answer) {
        this.#set({ saved: "unsaved", problem: answer.problem });
        this.#saveIn(pauses.again);
        return;
      }
      if ("conflict" in answer) {
        if (!this.#meet(answer.conflict)) return;
      } else {
        this.#base = { text, etag: answer.etag };
        this.#tell();
      }
    }
    if (this.state.conflict || this.#mirrored || !this.state.loaded) return;
    this.#set({ saved: "saved", problem: null });
    await this.keep();
  }

  /** The workspace's file is this. @returns whether text and file can go on from here without a choice. */
  #meet(file: FileText): boolean {
    const { text, loaded } = this.state;
    const base = this.#base;
    if (!loaded || (base && !differ(text, base.text))) {
      // Nothing of the student's is only here: show the file.
      this.#base = file;
      this.#set({ loaded: true, text: file.text, saved: "saved", problem: null, conflict: null });
      void this.keep();
      return true;
    }
    if (!differ(text, file.text) || (base && !differ(file.text, base.text))) {
      // Only the ETag is new, or the file is what this text grew from.
      this.#base = file;
      const saved = differ(text, file.text) ? "edited" : "saved";
      this.#set({ saved, problem: null, conflict: null });
      if (saved === "edited") this.#saveIn(pauses.save);
      return true;
    }
    if (this.#mirrored) return true;
    this.#set({ saved: "conflict", conflict: { mine: text, theirs: file.text, etag: file.etag } });
    return false;
  }

  #tell(): void {
    this.#around.tell({ key: this.#key, text: this.state.text, base: this.#base });
  }

  #saveIn(ms: number): void {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => void this.save(), ms);
  }

  #set(state: Partial<DraftState>): void {
    this.store.setState(state);
  }
}
