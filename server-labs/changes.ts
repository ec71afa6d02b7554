// Who wants to know that a lab's file has another text now, by a save in a tab or by the student's own editor.
// What counts is the text: a save that changes nothing, or is heard of twice, is no change.
import { join } from "node:path";
import type { LabId } from "./protocol.ts";
import { readSource } from "./source-file.ts";
import { absent, etagOf } from "./text.ts";
import type { Turns } from "./turns.ts";
import { type Watching, watchFolder } from "./watch.ts";

/** Called with the ETag of the text that is there now. */
export type Changed = (lab: LabId, file: string, etag: string) => void;

/** An editor may empty a file before it writes it; what counts is what is there after this much quiet. */
const settleMs = 50;

export class Changes {
  readonly #root: string;
  readonly #polling: boolean;
  readonly #turns: Turns;
  readonly #watching = new Map<LabId, Watching>();
  readonly #settling = new Map<string, NodeJS.Timeout>();
  readonly #known = new Map<string, string>();
  readonly #listeners = new Set<Changed>();

  constructor(root: string, polling: boolean, turns: Turns) {
    this.#root = root;
    this.#polling = polling;
    this.#turns = turns;
  }

  on(listener: Changed): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Watches a lab's files, unless they are watched already. */
  watch(lab: LabId, folder: string, files: string[]): void {
    const before = this.#watching.get(lab);
    if (before?.alive()) return;
    before?.close();
    const changed = (file: string) => this.#settle(lab, folder, file);
    this.#watching.set(lab, watchFolder(folder, files, this.#polling, changed));
  }

  /** The file was just saved with this text: everybody hears it now, and not again from the watcher. */
  saved(lab: LabId, folder: string, file: string, etag: string): void {
    const path = join(folder, file);
    if (this.#known.get(path) === etag) return;
    this.#known.set(path, etag);
    for (const listener of this.#listeners) listener(lab, file, etag);
  }

  /** The file was just read. Somebody else may still know an older text, so a new one is told. */
  seen(lab: LabId, folder: string, file: string, etag: string): void {
    const path = join(folder, file);
    if (this.#known.has(path)) this.saved(lab, folder, file, etag);
    else this.#known.set(path, etag);
  }

  close(): void {
    for (const watching of this.#watching.values()) watching.close();
    for (const timer of this.#settling.values()) clearTimeout(timer);
    this.#watching.clear();
  }

  #settle(lab: LabId, folder: string, file: string): void {
    const path = join(folder, file);
    // In turn with saves: what is read here must not be told after what replaced it.
    const look = () =>
      this.#turns.take(path, async () => {
        const bytes = await readSource(this.#root, path).catch(() => null);
        this.saved(lab, folder, file, bytes ? etagOf(bytes) : absent);
      });
    clearTimeout(this.#settling.get(path));
    this.#settling.set(path, setTimeout(look, settleMs).unref());
  }
}
