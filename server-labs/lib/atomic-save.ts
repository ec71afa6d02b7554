// Atomic save. Writes a file so that it is the old one or the new one, whichever process is killed and whichever disk is
// full in between: a temporary file beside it, fsync, rename over it, fsync of the folder.
import { randomBytes } from "node:crypto";
import { link, lstat, open, opendir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Names of the temporary files: ".server.ts.<pid>.<random>.tmp". */
const temporary = /^\..+\.\d+\.[0-9a-f]{8}\.tmp$/;

/** More names than this are not looked through for temporary files: a folder may be full of a program's files. */
const mostNames = 10_000;

/**
 * Replaces a file by this content, or makes it. When it returns, the content is on the disk.
 * @param file an absolute path; a symbolic link would be replaced, not followed
 * @param mode permission bits of the file
 * @param last called when all is written, just before the rename: what it throws leaves the file as it was
 * @throws the file system's error; the file is then what it was
 */
export function replaceFile(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
  last: () => Promise<void> = async () => {},
): Promise<void> {
  const putInPlace = async (from: string, to: string) => {
    await last();
    await rename(from, to);
  };
  return save(file, content, mode, putInPlace);
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
  const linkNew = async (from: string, to: string) => {
    try {
      await link(from, to);
    } catch (error) {
      if (!withoutHardLinks(error)) throw error;
      // exFAT, sshfs, folders shared with a virtual machine: whole, unless the process is killed in this very copy.
      // The mode goes to what was opened: chmod(2) would follow a link that has come into its place.
      await writeTo(to, content, mode, durable).catch(async half => {
        if (half.code !== "EEXIST") await unlink(to).catch(() => {});
        throw half;
      });
    }
    await unlink(from);
  };
  return save(file, content, mode, linkNew, durable);
}

/** Whether link(2) failed because this file system has no hard links. */
export function withoutHardLinks(error: unknown): boolean {
  return ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );
}

async function save(
  file: string,
  content: string | Uint8Array,
  mode: number,
  putInPlace: (from: string, to: string) => Promise<void>,
  durable = true,
): Promise<void> {
  const folder = dirname(file);
  const beside = join(folder, `.${basename(file)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    await writeTo(beside, content, mode, durable);
    await putInPlace(beside, file);
  } catch (error) {
    await unlink(beside).catch(() => {});
    throw error;
  }
  if (durable) await syncFolder(folder);
}

/** Writes a new file; EEXIST where there is one, or a link. */
async function writeTo(
  file: string,
  content: string | Uint8Array,
  mode: number,
  durable: boolean,
): Promise<void> {
  const handle = await open(file, "wx", mode);
  try {
    await handle.chmod(mode); // open() subtracts the umask
    await handle.writeFile(content);
    // Without fsync a power failure may leave the new name with no content: the rename can reach the disk first.
    if (durable) await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  // Some network file systems cannot sync a folder (EINVAL). The file is saved all the same.
  await handle.sync().catch(() => {});
  await handle.close();
}

/** Removes temporary files that a killed writer left in a folder more than a minute ago. */
export async function sweep(folder: string, now = Date.now()): Promise<void> {
  const names: string[] = [];
  try {
    let seen = 0;
    for await (const { name } of await opendir(folder, { bufferSize: 1000 })) {
      if (temporary.test(name)) names.push(name);
      if (++seen >= mostNames) break;
    }
  } catch {
    return; // no folder, or one that may not be listed: there is nothing to remove
  }
  for (const name of names) {
    const path = join(folder, name);
    const left = await lstat(path).catch(() => null);
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
  EEXIST: "something else has its name. Move that away",
  EISDIR: "there is a folder in its place. Move the folder away",
  ENOTDIR: "a part of its path is a file, not a folder. Move that file away",
  ENOENT: "its folder is gone. Open the lab again to make it anew",
  ELOOP: "its symbolic links go in a circle. Remove them",
  EIO: "the disk reports an input/output error. Look at dmesg",
  EMFILE: "the lab server has too many files open. Start it again",
  ENAMETOOLONG: "its path is too long. Choose a shorter folder with WORKBOOK_HOME",
};

/** What an error of the file system means for a person: half a sentence and the next step, without full stop. */
export function errorInWords(error: unknown): string {
  const { code = "", message = String(error) } = (error ?? {}) as NodeJS.ErrnoException;
  const words = inWords[code];
  return words ? `${words} (${code})` : message;
}
