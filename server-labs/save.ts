// Writing a file so that it is either the old one or the new one, whatever is killed or full in between:
// a temporary file beside it, fsync, rename over it, fsync of the folder. And the errors of that, in words.
import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Names of the temporary files: ".server.ts.<pid>.<random>.tmp". */
const temporary = /^\..+\.\d+\.[0-9a-f]{8}\.tmp$/;

/**
 * Replaces a file by this content, or makes it. When it returns, the content is on the disk.
 * @param file an absolute path; a symbolic link would be replaced, not followed
 * @param mode permission bits of the file
 * @throws the file system's error; the file is then what it was
 */
export function replaceFile(file: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  return place(file, content, mode, rename);
}

/**
 * As replaceFile, but only where there is no file yet: EEXIST otherwise.
 * @param durable false: it is whole whatever is killed, but a power failure may still lose it
 */
export function createFile(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
  durable = true,
): Promise<void> {
  const give = async (from: string, to: string) => {
    await link(from, to);
    await unlink(from);
  };
  return place(file, content, mode, give, durable);
}

async function place(
  file: string,
  content: string | Uint8Array,
  mode: number,
  give: (from: string, to: string) => Promise<void>,
  durable = true,
): Promise<void> {
  const folder = dirname(file);
  const beside = join(folder, `.${basename(file)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(beside, "wx", mode);
    await handle.chmod(mode); // open() subtracts the umask
    await handle.writeFile(content);
    // Without it a power failure may find the new name and no content: the rename can reach the disk first.
    if (durable) await handle.sync();
    await handle.close();
    handle = undefined;
    await give(beside, file);
  } catch (error) {
    await handle?.close().catch(() => {});
    await unlink(beside).catch(() => {});
    throw error;
  }
  if (durable) await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  // Some network file systems cannot sync a folder (EINVAL). The file is saved all the same.
  await handle.sync().catch(() => {});
  await handle.close();
}

/** Removes temporary files that a killed writer left in a folder more than a minute ago. */
export async function sweep(folder: string, now = Date.now()): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names.filter(name => temporary.test(name))) {
    const path = join(folder, name);
    const left = await stat(path).catch(() => null);
    // A younger one may belong to a writer that is still at work.
    if (left && now - left.mtimeMs > 60_000) await unlink(path).catch(() => {});
  }
}

const inWords: Record<string, string> = {
  ENOSPC: "the disk is full. Make room and save again",
  EDQUOT: "your disk quota is used up. Make room and save again",
  EROFS: "the disk is mounted read-only. Choose another folder with WORKBOOK_HOME",
  EACCES: "you may not write there. Look at its owner and mode with ls -l",
  EPERM: "the system does not permit it. Look at its owner, mode and attributes with ls -l and lsattr",
  EISDIR: "a folder stands in its place. Move the folder away",
  ENOTDIR: "something that is no folder stands in its path. Move that away",
  ENOENT: "its folder is gone. Open the lab again to make it anew",
  ELOOP: "its symbolic links go in a circle. Remove them",
  EIO: "the disk reports an input/output error. Look at dmesg",
  EMFILE: "the lab server has too many files open. Start it again",
  ENAMETOOLONG: "its path is too long. Choose a shorter folder with WORKBOOK_HOME",
};

/** What an error of the file system means for a person: half a sentence with the next step, without full stop. */
export function errorInWords(error: unknown): string {
  const { code = "", message = String(error) } = (error ?? {}) as NodeJS.ErrnoException;
  const words = inWords[code];
  return words ? `${words} (${code})` : message;
}
