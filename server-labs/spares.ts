// The one spare that is kept, for the lab that somebody has open or has run last. It is no run: it is in no list, holds
// no port, and when it is missing or does not fit, a new one is made on the spot and nobody is told.
import type { RunFolders } from "./run-folder.ts";
import { type Setting, Spare } from "./spare.ts";

/** A spare that has waited for so long is replaced, if its lab is still open: the machine around it has moved on. */
export const mostAgeMs = 15 * 60_000;

export class Spares {
  readonly #folders: RunFolders;
  readonly #keeps: boolean;
  readonly #ending = new Set<Promise<void>>();
  #kept: Spare | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param keeps false: every start is cold */
  constructor(folders: RunFolders, keeps: boolean) {
    this.#folders = folders;
    this.#keeps = keeps;
  }

  /** The spare that waits, or will in a moment; null when there is none. */
  get kept(): Spare | null {
    return this.#kept;
  }

  /** Sees to it that the next start in this setting is warm. tooOld is called when it no longer would be. */
  keep(setting: Setting, tooOld: () => void): void {
    if (!this.#keeps || this.#kept?.fits(setting)) return;
    this.#drop();
    try {
      this.#kept = new Spare(setting, this.#folders);
    } catch {
      return; // no room: the next start is cold, and will say so if it matters
    }
    this.#timer = setTimeout(() => {
      this.#drop();
      tooOld();
    }, mostAgeMs).unref();
  }

  /**
   * A process for a program: the one that waits, if it fits, else a new one. It is the caller's from now on.
   * @param furnished what a new one must wait for; one that fits has found its folder as it should be
   */
  async take(setting: Setting, furnished: Promise<unknown>): Promise<Spare> {
    const kept = this.#kept;
    if (kept?.fits(setting)) {
      this.#forget();
      const made = await kept.use().then(
        () => true,
        () => false,
      );
      if (made) return kept;
      this.#discard(kept);
    }
    await furnished;
    return new Spare(setting, this.#folders);
  }

  /** Ends the spare. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#drop();
    await Promise.all(this.#ending);
  }

  #drop(): void {
    if (this.#kept) this.#discard(this.#kept);
    this.#forget();
  }

  #forget(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#kept = null;
  }

  #discard(spare: Spare): void {
    const ending = spare.discard().catch(() => {}); // a folder in <tmp> that stays for the next start to sweep
    this.#ending.add(ending);
    void ending.then(() => this.#ending.delete(ending));
  }
}
