// Watchdog. Adds up what all processes of a run have, and what its lab's folder has gained, and reports the first sum that
// is too large: prlimit(1) bounds one process, and a run may have a hundred. Where the run has a cgroup, the kernel ends it
// for its memory, and refuses it a thread too many, which ends it here.
// A look costs some 0.2 ms; in 200 ms a run gains a few hundred megabytes at most before it is noticed.
import { type Launched, proportionalBytes, residentBytes } from "../process.ts";
import { type ExceededStatement, limits } from "../protocol.ts";

/** Bytes on the disk, and files and folders, below a folder. */
export interface FolderUse {
  bytes: number;
  entries: number;
}

const everyMs = 200;
/** The folder is walked less often, and not longer than this part of the time. */
const folder = { everyMs: 2000, share: 0.05 };

const megabyte = 1024 * 1024;

export class Watchdog {
  readonly #tree: Pick<Launched, "members" | "cgroup">;
  readonly #folderUse: () => Promise<FolderUse>;
  readonly #onExceeded: (statement: ExceededStatement) => void;
  #timer: NodeJS.Timeout | null = null;
  #folderTimer: NodeJS.Timeout | null = null;
  #closed = false;
  /** What the folder had when the run started. */
  #before: FolderUse | null = null;

  /**
   * @param folderUse measures the lab's folder
   * @param onExceeded called once
   */
  constructor(
    tree: Pick<Launched, "members" | "cgroup">,
    folderUse: () => Promise<FolderUse>,
    onExceeded: (statement: ExceededStatement) => void,
  ) {
    this.#tree = tree;
    this.#folderUse = folderUse;
    this.#onExceeded = onExceeded;
    this.#timer = setInterval(() => this.#look(), everyMs).unref();
    void this.#walk();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    if (this.#folderTimer) clearTimeout(this.#folderTimer);
  }

  #exceeded(statement: ExceededStatement): void {
    if (this.#closed) return;
    this.close();
    this.#onExceeded(statement);
  }

  #look(): void {
    const members = this.#tree.members();
    const bytes = memoryOf(members, limits.runMemoryBytes);
    if (members.length > limits.runProcesses)
      this.#exceeded({ code: "too-many-processes", most: limits.runProcesses });
    else if (this.#tree.cgroup?.lacksThreads())
      this.#exceeded({ code: "too-many-threads", most: limits.runThreads });
    else if (bytes > limits.runMemoryBytes)
      this.#exceeded({
        code: "too-much-memory",
        processes: members.length,
        megabytes: Math.round(bytes / megabyte),
        most: limits.runMemoryBytes / megabyte,
      });
  }

  /** Walks the folder, now and then again. What cannot be read now is read the next time. */
  async #walk(): Promise<void> {
    const began = performance.now();
    const use = await this.#folderUse().catch(() => null);
    if (this.#closed) return;
    this.#before ??= use;
    if (use && this.#before) {
      const [bytes, entries] = [use.bytes - this.#before.bytes, use.entries - this.#before.entries];
      if (bytes > limits.runFolderBytes)
        return this.#exceeded({
          code: "folder-too-large",
          megabytes: Math.round(bytes / megabyte),
          most: limits.runFolderBytes / megabyte,
        });
      if (entries > limits.runFolderEntries)
        return this.#exceeded({ code: "folder-too-full", most: limits.runFolderEntries });
    }
    const cost = performance.now() - began;
    const ms = Math.max(folder.everyMs, cost / folder.share);
    this.#folderTimer = setTimeout(() => void this.#walk(), ms).unref();
  }
}

/**
 * The memory of these processes together, in bytes.
 * @param most what they share is counted once only where the simple sum is more than this: to look at it costs more
 */
export function memoryOf(pids: number[], most: number, look = { residentBytes, proportionalBytes }): number {
  const sum = pids.reduce((all, pid) => all + look.residentBytes(pid), 0);
  if (sum <= most) return sum;
  // Asked again where there are no parts: a process that has ended since has nothing.
  return pids.reduce((all, pid) => all + (look.proportionalBytes(pid) ?? look.residentBytes(pid)), 0);
}
