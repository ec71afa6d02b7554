// Changes. Notifies its listeners when a file of a lab has another text: saved by a page, or by the student's editor.
// The text counts: a save that changes nothing, or that is noticed twice, is not a change. inotify watches the folder,
// because editors save by renaming, which a watch on the file itself would lose; where inotify reports nothing (NFS,
// some containers), which is found out by trying, the files are looked at once a second.
import { randomBytes } from "node:crypto";
import type { FSWatcher } from "node:fs";
import { join } from "node:path";
import type { KeyedQueue } from "../lib/keyed-queue.ts";
import { absent, etagOf } from "../lib/source-text.ts";
import { type LabId, limits } from "../protocol.ts";
import { inodeOf, namesNow, OpenFolder, stampOf, watchNames } from "./tree.ts";

/** Called with the ETag of the text that is there now. */
export type Changed = (lab: LabId, file: string, etag: string) => void;

/** An editor may empty a file before it writes it; the text counts that is there after so many milliseconds without another change. */
const settleMs = 50;

/** Files of one folder that are followed: a program may make thousands with names that a page shows. */
const mostFollowed = 2 * limits.labFiles;

/** A program may make and remove files in a loop: so many events in a while, and the folder is looked at instead. */
const storm = { events: 2_000, ms: 500 };
/** After a storm the folder is looked at once a second for so long, before inotify watches it again. */
const calmMs = 10_000;

/** The files of a folder that are watched. */
export interface WatchedFiles {
  isShown(name: string): boolean;
  read(name: string): Promise<Uint8Array | null>;
}

export class Changes {
  readonly #polling: boolean;
  readonly #queue: KeyedQueue;
  readonly #watching = new Map<LabId, Watching>();
  /** Folder → name → the timer of a file that changes now. */
  readonly #settling = new Names<NodeJS.Timeout>();
  /** Folder → name → the ETag of the last text that the listeners know. */
  readonly #known = new Names<string>();
  readonly #listeners = new Set<Changed>();

  constructor(polling: boolean, queue: KeyedQueue) {
    this.#polling = polling;
    this.#queue = queue;
  }

  on(listener: Changed): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Watches a lab's files, unless they are watched already.
   * @param folder its absolute path
   * @returns false when they were
   */
  watch(lab: LabId, folder: string, files: WatchedFiles): boolean {
    const before = this.#watching.get(lab);
    if (before?.alive()) return false;
    before?.close();
    const changed = (file: string) => this.#settle(lab, folder, file, files);
    this.#watching.set(lab, watchFolder(folder, files, this.#polling, changed));
    return true;
  }

  /** The file was just saved with this text: the listeners are notified now, and not again by the watcher. */
  saved(lab: LabId, folder: string, file: string, etag: string): void {
    const known = this.#known.in(folder);
    if (known.get(file) === etag) return;
    if (etag === absent) known.delete(file);
    else known.set(file, etag);
    for (const listener of this.#listeners) listener(lab, file, etag);
  }

  /** The file was just read. Another page may know an older text: a new one is a change. */
  seen(lab: LabId, folder: string, file: string, etag: string): void {
    const known = this.#known.in(folder);
    if (known.has(file)) this.saved(lab, folder, file, etag);
    else known.set(file, etag);
  }

  close(): void {
    for (const watching of this.#watching.values()) watching.close();
    for (const timer of this.#settling.all()) clearTimeout(timer);
    this.#watching.clear();
  }

  #settle(lab: LabId, folder: string, file: string, files: WatchedFiles): void {
    const [settling, known] = [this.#settling.in(folder), this.#known.in(folder)];
    const isNew = !settling.has(file) && !known.has(file);
    if (isNew && settling.size + known.size >= mostFollowed) return;
    // In turn with saves: a text that is read here must not be reported after the text that replaced it.
    const look = () => {
      settling.delete(file);
      void this.#queue.run(join(folder, file), async () => {
        const bytes = await files.read(file).catch(() => null);
        // A temporary file that came and went is no file of the lab.
        if (!bytes && !known.has(file)) return;
        this.saved(lab, folder, file, bytes ? etagOf(bytes) : absent);
      });
    };
    clearTimeout(settling.get(file));
    settling.set(file, setTimeout(look, settleMs).unref());
  }
}

/** Something for each name in each folder. */
class Names<T> {
  readonly #folders = new Map<string, Map<string, T>>();

  in(folder: string): Map<string, T> {
    const there = this.#folders.get(folder);
    if (there) return there;
    const names = new Map<string, T>();
    this.#folders.set(folder, names);
    return names;
  }

  all(): T[] {
    return [...this.#folders.values()].flatMap(names => [...names.values()]);
  }
}

interface Watching {
  /** False once the folder itself was moved or removed: then it must be watched anew. */
  alive(): boolean;
  close(): void;
}

/**
 * Calls `changed` whenever one of the shown files may have changed, or has come or gone.
 * @param polling look once a second, without inotify
 */
export function watchFolder(
  folder: string,
  files: Pick<WatchedFiles, "isShown">,
  polling: boolean,
  changed: (file: string) => void,
): Watching {
  if (polling) return poll(folder, files, changed);
  const inode = inodeOf(folder);
  const shown = (name: string) => files.isShown(name);
  const seen = new Set(namesNow(folder).filter(shown).slice(0, mostFollowed));
  const ended = () => inodeOf(folder) !== inode;
  let instead: (Watching & { until: number }) | null = null;
  const meter = new StormMeter();
  let watcher: FSWatcher;
  try {
    watcher = watchNames(folder, name => {
      if (instead) return; // what was on its way when the storm was noticed
      if (meter.isStorm()) {
        watcher.close();
        instead = { ...poll(folder, files, changed), until: performance.now() + calmMs };
        for (const file of seen) changed(file);
        return;
      }
      if (name !== null && shown(name)) {
        if (seen.size < mostFollowed) seen.add(name);
        changed(name);
      }
      // The folder's own end comes as an event with the name by which it was opened, a number; its files ended with it.
      if ((name === null || /^\d+$/.test(name)) && ended()) for (const file of seen) changed(file);
    });
  } catch {
    return poll(folder, files, changed); // no inotify watch left (ENOSPC), or no inotify at all
  }
  let broken = false;
  watcher.on("error", () => {
    broken = true;
  });
  return {
    alive: () => !broken && !ended() && (instead === null || performance.now() < instead.until),
    close() {
      watcher.close();
      instead?.close();
    },
  };
}

/** Counts events; each costs this process some microseconds, and a program can make 100,000 of them in a second. */
class StormMeter {
  #since = performance.now();
  #events = 0;

  isStorm(): boolean {
    const now = performance.now();
    if (now - this.#since > storm.ms) {
      this.#since = now;
      this.#events = 0;
    }
    return ++this.#events > storm.events;
  }
}

/** Not fs.watchFile: it looks first some time after the call, and misses what changes until then. */
function poll(
  folder: string,
  files: Pick<WatchedFiles, "isShown">,
  changed: (file: string) => void,
): Watching {
  const names = () =>
    namesNow(folder)
      .filter(name => files.isShown(name))
      .slice(0, mostFollowed);
  const before = new Map(names().map(file => [file, stampOf(join(folder, file))]));
  const timer = setInterval(() => {
    for (const file of new Set([...before.keys(), ...names()])) {
      const now = stampOf(join(folder, file));
      if (now === (before.get(file) ?? "")) continue;
      if (now === "") before.delete(file);
      else before.set(file, now);
      changed(file);
    }
  }, 1000).unref();
  return { alive: () => true, close: () => clearInterval(timer) };
}

/** Whether inotify reports changes in this folder: makes one, and waits for the report for at most half a second. */
export async function inotifyWorks(folder: string): Promise<boolean> {
  const name = `.watch-${randomBytes(4).toString("hex")}`;
  try {
    return await OpenFolder.within(folder, async all => {
      await all.makeFolder(name);
      try {
        return await reportsIn(join(folder, name));
      } finally {
        await all.removeFolder(name).catch(() => {});
      }
    });
  } catch {
    return false;
  }
}

async function reportsIn(folder: string): Promise<boolean> {
  let settle: (works: boolean) => void = () => {};
  const report = new Promise<boolean>(resolve => {
    settle = resolve;
  });
  const watcher = watchNames(folder, () => settle(true));
  watcher.on("error", () => settle(false));
  let timer: NodeJS.Timeout | undefined;
  try {
    // To its end, also when the report comes before: the folder is removed then, and must not be in use.
    await OpenFolder.within(folder, made => made.create("file", ""));
    timer = setTimeout(() => settle(false), 500);
    return await report;
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}
