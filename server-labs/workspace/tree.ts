// Workspace tree. The only module that opens, lists, writes, renames or removes below the workspace.
// A program can exchange what lies in its lab's folder while the lab server works there, and the lab server may read and
// write what the program may not. So no name that a program can change is resolved twice, and no link is followed: a
// folder is opened, the kernel says which folder that is, and a name in it is reached through /proc/self/fd/N/NAME, in
// the opened folder, wherever that lies by now. Node has no openat(2), and native code (openat2 with RESOLVE_BENEATH)
// does not enter the lab server; the detour costs one readlink(2) for each folder, some 5 µs.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  createReadStream,
  type Dirent,
  type FSWatcher,
  lstatSync,
  opendirSync,
  openSync,
  readlinkSync,
  watch,
} from "node:fs";
import {
  access,
  type FileHandle,
  lstat,
  mkdir,
  open,
  opendir,
  readdir,
  readlink,
  realpath,
  rename,
  rmdir,
  stat,
  symlink,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { createFile, replaceFile, sweep } from "../lib/atomic-save.ts";
import { WorkspaceError } from "./error.ts";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** open(2): a descriptor that only names a file, and does to a FIFO or a device nothing at all. Node has no name for it. */
const O_PATH = 0o10000000;

/** More entries of a folder than this are not listed: a program may fill its folder. */
export const mostEntries = 2_000;

/** What lies under a name. */
export type Found =
  | { kind: "none" | "link" | "folder" | "special" }
  /** Longer than the caller wants; it was not read. */
  | { kind: "long"; size: number }
  | { kind: "file"; bytes: Buffer; mode: number };

/** The names in a folder, at most mostEntries, in the order of the file system. */
export interface Listing {
  entries: { name: string; kind: "file" | "folder" | "link" | "special" }[];
  /** False: there are more. */
  whole: boolean;
}

/** One name: a name that could lead to another folder is a mistake of the lab server. */
function plain(name: string): string {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name))
    throw new Error(`${JSON.stringify(name)} is not the name of a file.`);
  return name;
}

/** A folder below the workspace that is held open: its names are resolved in it, whatever has its path by now. */
export class OpenFolder {
  /** For sentences and for what is shown; it is not opened again. */
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.path = path;
  }

  /**
   * Opens a folder, does the work in it, and closes it.
   * @param path absolute, with no link in it
   * @throws WorkspaceError "link-not-followed"; the file system's error: ENOENT without the folder, ENOTDIR for a file
   */
  static async within<T>(path: string, work: (folder: OpenFolder) => Promise<T>): Promise<T> {
    const folder = await OpenFolder.#open(path, path);
    try {
      return await work(folder);
    } finally {
      await folder.#handle.close();
    }
  }

  /** @param path where it should be @param way how it is reached */
  static async #open(path: string, way: string): Promise<OpenFolder> {
    const handle = await open(way, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(async error => {
      const there = await lstat(way).catch(() => null);
      if (there?.isSymbolicLink()) throw new WorkspaceError({ code: "link-not-followed", path });
      throw error;
    });
    // What was opened, and not what has that name by now: a folder above it may be a link.
    const real = readlinkSync(`/proc/self/fd/${handle.fd}`);
    if (real === path) return new OpenFolder(handle, path);
    await handle.close();
    if (real === `${path} (deleted)`) throw Object.assign(new Error(`${path} is gone`), { code: "ENOENT" });
    throw new WorkspaceError({ code: "link-not-followed", path });
  }

  #at(name: string): string {
    return `/proc/self/fd/${this.#handle.fd}/${plain(name)}`;
  }

  /** Works in a folder of this folder. @throws as within() */
  async inside<T>(name: string, work: (folder: OpenFolder) => Promise<T>): Promise<T> {
    const folder = await OpenFolder.#open(join(this.path, name), this.#at(name));
    try {
      return await work(folder);
    } finally {
      await folder.#handle.close();
    }
  }

  /** What lies under this name. @param most a file of more bytes is not read */
  async find(name: string, most: number): Promise<Found> {
    const held = await open(this.#at(name), O_PATH | O_NOFOLLOW).catch(error => {
      // A name that no file system has room for is the name of no file.
      if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(error.code)) return null;
      throw error;
    });
    if (held === null) return { kind: "none" };
    try {
      const facts = await held.stat();
      if (facts.isSymbolicLink()) return { kind: "link" };
      if (facts.isDirectory()) return { kind: "folder" };
      if (!facts.isFile()) return { kind: "special" };
      if (facts.size > most) return { kind: "long", size: facts.size };
      return { kind: "file", bytes: await contentOf(held, facts.size), mode: facts.mode & 0o777 };
    } finally {
      await held.close();
    }
  }

  /**
   * What lies under a path below this folder.
   * @param path relative; "lib/greet.ts"
   */
  async findBelow(path: string, most: number): Promise<Found> {
    const [name = "", ...rest] = path.split("/");
    if (name === "" || name === "." || name === ".." || path.includes("\0")) return { kind: "none" };
    if (rest.length === 0) return this.find(name, most);
    try {
      return await this.inside(name, folder => folder.findBelow(rest.join("/"), most));
    } catch (error) {
      if (error instanceof WorkspaceError) return { kind: "link" };
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return { kind: "none" };
      throw error;
    }
  }

  /** The names in it. */
  async list(): Promise<Listing> {
    const entries: Listing["entries"] = [];
    for await (const entry of await opendir(`/proc/self/fd/${this.#handle.fd}`, { bufferSize: 500 })) {
      if (entries.length === mostEntries) return { entries, whole: false };
      entries.push({ name: entry.name, kind: kindOf(entry) });
    }
    return { entries, whole: true };
  }

  /**
   * What lies in it, and in the folders below, takes on the disk: bytes, and names. No link is followed.
   * @param most names that are counted; a folder with more has at least so many
   */
  async use(most: number): Promise<{ bytes: number; entries: number }> {
    const use = { bytes: 0, entries: 0 };
    const folders: string[] = [];
    for await (const entry of await opendir(`/proc/self/fd/${this.#handle.fd}`, { bufferSize: 500 })) {
      if (++use.entries >= most) return use;
      if (entry.isDirectory()) folders.push(entry.name);
      // In the same turn: a turn for each of 20,000 files would take seconds.
      else use.bytes += bytesOnDisk(this.#at(entry.name));
    }
    for (const name of folders) {
      const inner = await this.inside(name, folder => folder.use(most - use.entries)).catch(() => null);
      use.bytes += inner?.bytes ?? 0;
      use.entries += inner?.entries ?? 0;
      if (use.entries >= most) break;
    }
    return use;
  }

  /** Is there anything under this name? A link counts, wherever it leads. */
  async has(name: string): Promise<boolean> {
    return (await lstat(this.#at(name)).catch(() => null)) !== null;
  }

  /** The size of what lies under this name; 0 where there is nothing. */
  async sizeOf(name: string): Promise<number> {
    return (await lstat(this.#at(name)).catch(() => null))?.size ?? 0;
  }

  /** As replaceFile(): a link in the file's place is replaced. A file that has other names (hard links) keeps its text there. */
  replace(name: string, bytes: Uint8Array, mode: number, last?: () => Promise<void>): Promise<void> {
    return replaceFile(this.#at(name), bytes, mode, last);
  }

  /** As createFile(): EEXIST where there is a file, a link, or anything else. */
  create(name: string, content: string | Uint8Array, mode = 0o644, durable = true): Promise<void> {
    return createFile(this.#at(name), content, mode, durable);
  }

  /** Makes a folder of this folder where nothing has this name. @returns was it made? */
  async makeFolder(name: string): Promise<boolean> {
    try {
      await mkdir(this.#at(name));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return false;
    }
  }

  /** Removes a file or a link, and never what a link leads to. */
  remove(name: string): Promise<void> {
    return unlink(this.#at(name));
  }

  /** Removes a folder of this folder with what is in it: files and links by their names, folders so in turn. */
  async removeFolder(name: string): Promise<void> {
    await this.inside(name, async folder => {
      for (const entry of await readdir(`/proc/self/fd/${folder.#handle.fd}`, { withFileTypes: true }))
        await (entry.isDirectory() ? folder.removeFolder(entry.name) : folder.remove(entry.name));
    });
    await rmdir(this.#at(name));
  }

  /** Removes a folder of this folder if it is empty. */
  async removeEmptyFolder(name: string): Promise<void> {
    await rmdir(this.#at(name)).catch(() => {});
  }

  /** Gives what lies under a name another name in this folder; what had that name is replaced. */
  rename(from: string, to: string): Promise<void> {
    return rename(this.#at(from), this.#at(to));
  }

  /** Moves what lies under a name into another folder, under a name of its own; what had that name is replaced. */
  moveTo(other: OpenFolder, from: string, to: string): Promise<void> {
    return rename(this.#at(from), other.#at(to));
  }

  /** Copies a file from outside of the workspace into this folder, where nothing has this name. */
  async copyIn(from: string, name: string, mode: number): Promise<void> {
    // The mode goes to what was opened: chmod(2) would follow a link that has come into its place.
    const handle = await open(this.#at(name), "wx", mode);
    try {
      await handle.chmod(mode);
      // Each piece goes behind the one before.
      for await (const piece of createReadStream(from)) await handle.writeFile(piece as Buffer);
    } finally {
      await handle.close();
    }
  }

  /** Makes `name` a link to `target`, whatever it was linked to before; anything else stays. */
  async linkTo(name: string, target: string): Promise<void> {
    const there = await lstat(this.#at(name)).catch(() => null);
    if (there && !there.isSymbolicLink()) return;
    if (there && (await readlink(this.#at(name))) === target) return;
    // A program that starts at this very moment must find the old link or the new one.
    const beside = `${name}.${randomBytes(4).toString("hex")}.tmp`;
    await symlink(target, this.#at(beside));
    await this.rename(beside, name);
  }

  /** Adds these permission bits to the folder's own. */
  async permit(bits: number): Promise<void> {
    const { mode } = await this.#handle.stat();
    if ((mode & bits) !== bits) await this.#handle.chmod((mode & 0o777) | bits);
  }

  /** Removes what killed writers left in it. */
  sweep(): Promise<void> {
    return sweep(`/proc/self/fd/${this.#handle.fd}`);
  }
}

/**
 * Makes the folder of the workspace, and all above it. Node's mkdir(recursive) says ENOENT on a read-only file system,
 * as if a folder had been there and were gone: access(2) on the nearest folder that exists knows better.
 * @returns its real path
 */
export async function makeRoot(root: string): Promise<string> {
  try {
    await mkdir(root, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    let there = dirname(root);
    while (there !== "/" && !(await stat(there).catch(() => null))) there = dirname(there);
    await access(there, constants.W_OK);
    throw error;
  }
  return realpath(root);
}

/**
 * Makes folders in a folder, each in the one before, where they are missing.
 * @returns was the last one made?
 */
export async function makeFolders(root: string, names: string[]): Promise<boolean> {
  let made = false;
  for (const [i, name] of names.entries())
    made = await OpenFolder.within(join(root, ...names.slice(0, i)), folder => folder.makeFolder(name));
  return made;
}

/** Calls the listener with each name in the folder that may have changed, null for one that is not known. @throws as open(2) */
export function watchNames(path: string, listener: (name: string | null) => void): FSWatcher {
  return opened(path, at => watch(at, { persistent: false }, (_event, name) => listener(name)));
}

/** The names in a folder now, at most mostEntries; none where there is no folder. */
export function namesNow(path: string): string[] {
  try {
    return opened(path, at => {
      const names: string[] = [];
      const folder = opendirSync(at, { bufferSize: 500 });
      try {
        for (let entry = folder.readSync(); entry && names.length < mostEntries; entry = folder.readSync())
          names.push(entry.name);
      } finally {
        folder.closeSync();
      }
      return names;
    });
  } catch {
    return []; // gone, or closed to us
  }
}

/** What is different after every save, and in another folder of this name; "" where there is nothing. */
export function stampOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = lstatSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return ""; // not there, a folder above it is now a file, or closed to us
  }
}

/** The number of what has this path; null where there is nothing. */
export function inodeOf(path: string): number | null {
  return Number(stampOf(path).split(" ")[0]) || null;
}

function opened<T>(path: string, work: (at: string) => T): T {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    return work(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** The bytes of a regular file that is held by O_PATH: opened by its descriptor, never by its name. */
async function contentOf(held: FileHandle, size: number): Promise<Buffer> {
  const handle = await open(`/proc/self/fd/${held.fd}`, O_RDONLY | O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(size);
    // Not to its end, which a program may move meanwhile.
    let length = 0;
    while (length < size) {
      const { bytesRead } = await handle.read(bytes, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/** What a file takes on the disk; 0 for one that is gone. A file with several names is counted with each. */
function bytesOnDisk(path: string): number {
  try {
    return lstatSync(path).blocks * 512;
  } catch {
    return 0;
  }
}

function kindOf(entry: Dirent): Listing["entries"][number]["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "special";
}
