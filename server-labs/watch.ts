// Notices that files in a folder change, by whatever editor. inotify on the folder, because editors save by
// renaming, which a watch on the file itself would lose; looking once a second where inotify is silent (NFS,
// some containers), which is found out by trying.
import { type FSWatcher, type Stats, statSync, watch } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Watching {
  /** False once the folder itself was moved or removed: then it has to be watched anew. */
  alive(): boolean;
  close(): void;
}

/**
 * Calls `changed` whenever one of these files may have changed.
 * @param polling look once a second instead of being told
 */
export function watchFolder(
  folder: string,
  files: string[],
  polling: boolean,
  changed: (file: string) => void,
): Watching {
  if (polling) return poll(folder, files, changed);
  const inode = inodeOf(folder);
  let watcher: FSWatcher;
  try {
    watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name !== null && files.includes(name)) changed(name);
      // The folder's own end comes as an event with its name; its files ended with it.
      if (inodeOf(folder) !== inode) for (const file of files) changed(file);
    });
  } catch {
    return poll(folder, files, changed); // no inotify watch left (ENOSPC), or none at all
  }
  let broken = false;
  watcher.on("error", () => {
    broken = true;
  });
  return { alive: () => !broken && inodeOf(folder) === inode, close: () => watcher.close() };
}

/** Not fs.watchFile: it looks first some time after it was called, and what changes until then it never tells. */
function poll(folder: string, files: string[], changed: (file: string) => void): Watching {
  const before = new Map(files.map(file => [file, stamp(join(folder, file))]));
  const timer = setInterval(() => {
    for (const [file, last] of before) {
      const now = stamp(join(folder, file));
      if (now === last) continue;
      before.set(file, now);
      changed(file);
    }
  }, 1000).unref();
  return { alive: () => true, close: () => clearInterval(timer) };
}

/** Whether a change in this folder is told at all: makes one, and waits for it for at most half a second. */
export async function inotifyWorks(folder: string): Promise<boolean> {
  let probe: string | undefined;
  try {
    const made = await mkdtemp(join(folder, ".watch-"));
    probe = made;
    return await new Promise<boolean>(resolve => {
      const watcher = watch(made, { persistent: false });
      const end = (works: boolean) => {
        clearTimeout(timer);
        watcher.close();
        resolve(works);
      };
      const timer = setTimeout(end, 500, false);
      watcher.on("change", () => end(true)).on("error", () => end(false));
      writeFile(join(made, "file"), "").catch(() => end(false));
    });
  } catch {
    return false;
  } finally {
    if (probe) await rm(probe, { recursive: true, force: true }).catch(() => {});
  }
}

function inodeOf(folder: string): number | null {
  return look(folder)?.ino ?? null;
}

/** What is different after every save; "" where there is no file. */
function stamp(path: string): string {
  const stat = look(path);
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "";
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a folder above it is now a file, or closed to us
  }
}
