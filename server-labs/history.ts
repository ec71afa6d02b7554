// Copies of what a student had: one at each Run and before anything overwrites it, so that nothing that the
// workbook does loses text. `.history/<file>/<time>` in the lab's folder; plain files, for any editor.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, unlink } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { createFile } from "./save.ts";

/** For each lab: enough for a term of work, and no more than a few photographs. */
const cap = { copies: 200, bytes: 20 * 1024 * 1024 };

/** Folder of the copies of one file. That it exists also says that this file was given to the student once. */
export const historyOf = (labFolder: string, file: string) => join(labFolder, ".history", file);

/**
 * Keeps a copy, unless the newest one is the same.
 * @param labFolder the lab's folder in the workspace
 * @param file the file's name in it
 * @param durable false: not to wait for the disk, where the text is not about to be lost anyway
 * @returns path of the copy that holds this content
 */
export async function keepCopy(
  labFolder: string,
  file: string,
  bytes: Uint8Array,
  durable = true,
): Promise<string> {
  const folder = historyOf(labFolder, file);
  await mkdir(folder, { recursive: true });
  const newest = (await copies(folder)).at(-1);
  if (newest && sha256(await readFile(newest)) === sha256(bytes)) return newest;
  const kept = await create(folder, extname(file), bytes, durable);
  await prune(dirname(folder));
  return kept;
}

async function create(
  folder: string,
  extension: string,
  bytes: Uint8Array,
  durable: boolean,
): Promise<string> {
  // Sorted by name is sorted by time, and no character in it means anything to a shell.
  const time = new Date().toISOString().replaceAll(":", "-");
  for (let n = 1; ; n++) {
    const path = join(folder, `${time}${n > 1 ? `-${n}` : ""}${extension}`);
    try {
      await createFile(path, bytes, 0o644, durable);
      return path;
    } catch (error) {
      // Two copies in one millisecond: the second gets a number.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

async function copies(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter(name => /^\d{4}-/.test(name))
    .sort()
    .map(name => join(folder, name));
}

/** Removes the oldest copies above the cap; the newest one always stays. */
async function prune(history: string): Promise<void> {
  const files = await readdir(history);
  const all = (await Promise.all(files.map(file => copies(join(history, file))))).flat();
  const sized = await Promise.all(
    all.map(async path => ({ path, name: path.slice(path.lastIndexOf("/")), size: (await stat(path)).size })),
  );
  sized.sort((a, b) => (a.name < b.name ? 1 : -1));
  let bytes = 0;
  for (const [i, { path, size }] of sized.entries()) {
    bytes += size;
    if (i > 0 && (i >= cap.copies || bytes > cap.bytes)) await unlink(path);
  }
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
