// Spares. Keeps one spare, for the lab that is open or was run last. A spare is not a run: it is in no list and holds no
// port; when it is missing or does not fit, a new one is made on the spot.
import type { RunFolders } from "./run-folder.ts";
import { type Setting, Spare } from "./spare.ts";

/** A spare that has waited for so long is replaced, if its lab is still open: the machine around it may have changed. */
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

  /** The spare that waits, or starts; null without a spare. */
  get kept(): Spare | null {
    return this.#kept;
  }

  /** Makes the next start in this setting warm. Calls tooOld when the spare has been dropped because of its age. */
  keep(setting: Setting, tooOld: () => void): void {
    if (!this.#keeps || this.#kept?.fits(setting)) return;
    this.#drop();
    try {
      this.#kept = new Spare(setting, this.#folders);
    } catch {
      return; // no room: the next start is cold, and reports it if there is still no room
    }
    this.#timer = setTimeout(() => {
      this.#drop();
      tooOld();
    }, mostAgeMs).unref();
  }

  /**
   * A process for a program: the one that waits, if it fits, else a new one. The caller owns it from now on.
   * @param ready what a new one must wait for: its folder in the workspace
   */
  async acquire(setting: Setting, ready: Promise<unknown>): Promise<Spare> {
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
    await ready;
    return new Spare(setting, this.#folders);
  }

  /** Ends the spare. Resolves when its processes and its folder are gone. */
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
    const ending = spare.discard().catch(() => {}); // its folder in <tmp> stays; the next start sweeps it
    this.#ending.add(ending);
    void ending.then(() => this.#ending.delete(ending));
  }
}
