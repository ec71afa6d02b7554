// Notices that files in a folder change, by whatever editor. inotify on the folder, because editors save by
// renaming, which a watch on the file itself would lose; looking once a second where inotify is silent (NFS,
// some containers), which is found out by trying.
import { type FSWatcher, statSync, unwatchFile, watch, watchFile } from "node:fs";
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

function poll(folder: string, files: string[], changed: (file: string) => void): Watching {
  const stops = files.map(file => {
    const path = join(folder, file);
    const listener = () => changed(file);
    watchFile(path, { persistent: false, interval: 1000 }, listener);
    return () => unwatchFile(path, listener);
  });
  return {
    alive: () => true,
    close() {
      for (const stop of stops) stop();
    },
  };
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
  try {
    return statSync(folder, { throwIfNoEntry: false })?.ino ?? null;
  } catch {
    return null; // a folder above it is now a file, or closed to us
  }
}
