// How the student's text of one file stands: what is typed, what it grew from, what the workspace holds, and which of them
// can go on without a choice. Here it is only decided: nothing waits, nothing is written, nobody is told (draft.ts does).
import { createStore, type StoreApi } from "zustand/vanilla";
import type { FileText } from "../labs.ts";
import type { Base, Kept, Word } from "./kept.ts";

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

/** Before there is a text. */
export const noText: DraftState = {
  loaded: false,
  text: "",
  saved: "saved",
  problem: null,
  conflict: null,
  setAside: null,
};

export class Standing {
  readonly store: StoreApi<DraftState> = createStore<DraftState>(() => noText);
  base: Base | null = null;
  /** The text came from another tab, which is answerable for it. */
  mirrored = false;

  get state(): DraftState {
    return this.store.getState();
  }

  /** There is something to save, and it is for us to save it. */
  get toSave(): boolean {
    return this.settled && this.#grown(this.state.text);
  }

  /** Nobody has to choose, and no other tab is answerable. */
  get settled(): boolean {
    return this.state.loaded && !this.mirrored && !this.state.conflict;
  }

  /** This browser remembers a text, from before. */
  remembered({ text, base, setAside = null }: Kept): void {
    this.base = base;
    this.set({ loaded: true, text, setAside, saved: this.#savedAs(text) });
  }

  /** There is none, neither here nor in the workspace: it begins as the lab's first text. */
  begins(starter: string): void {
    this.base = { text: starter, etag: null };
    this.set({ loaded: true, text: starter });
  }

  /** The student typed. */
  typed(text: string): void {
    const conflict = this.state.conflict && { ...this.state.conflict, mine: text };
    this.set({ loaded: true, text, conflict, saved: conflict ? "conflict" : "edited" });
    this.mirrored = false;
  }

  /** Another tab typed or saved. */
  mirrors({ text, base }: Word): void {
    this.base = base;
    this.mirrored = true;
    this.set({ loaded: true, text, saved: this.#savedAs(text), conflict: null, problem: null });
  }

  /**
   * The workspace's file is this.
   * @returns whose text is shown from now on: of "conflict" the student has to choose
   */
  meets(file: FileText): "theirs" | "mine" | "mirrored" | "conflict" {
    const { text, loaded } = this.state;
    const { base } = this;
    if (!loaded || (base && !this.#grown(text))) {
      // Nothing of the student's is only here: show the file.
      this.base = file;
      this.set({ loaded: true, text: file.text, saved: "saved", problem: null, conflict: null });
      return "theirs";
    }
    if (text === file.text || (base && !this.#grown(file.text))) {
      // Only the ETag is new, or the file is what this text grew from.
      this.base = file;
      this.set({ saved: this.#savedAs(text), problem: null, conflict: null });
      return "mine";
    }
    if (this.mirrored) return "mirrored";
    this.set({ saved: "conflict", conflict: { mine: text, theirs: file.text, etag: file.etag } });
    return "conflict";
  }

  /** The student has chosen, and this is shown instead of that, which is set aside. */
  replaces(text: string, aside: string): void {
    const setAside = aside === text ? null : aside;
    this.set({ text, conflict: null, saved: "saved", problem: null, setAside });
    this.mirrored = false;
  }

  set(state: Partial<DraftState>): void {
    this.store.setState(state);
  }

  #grown(text: string): boolean {
    return text !== this.base?.text;
  }

  #savedAs(text: string): "edited" | "saved" {
    return this.#grown(text) ? "edited" : "saved";
  }
}
