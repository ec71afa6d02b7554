// History. Copies of a student's text, one at each Run and one before anything overwrites it.
// Nothing that the workbook does loses text. `.history/<chapter>/<lab>/<file>/<time>` in the workspace: plain files, for
// any editor. It lies beside the labs' folders, because a program may write in its lab's own one.
import { createHash, randomBytes } from "node:crypto";
import { basename, extname, join } from "node:path";
import { KeyedQueue } from "../lib/keyed-queue.ts";
import { type LabId, limits } from "../protocol.ts";
import { WorkspaceError } from "./error.ts";
import { makeFolders, OpenFolder, stampOf } from "./tree.ts";

/** For each lab: enough for a term of work, and no more than a few photographs. */
const cap = { copies: 200, bytes: 20 * 1024 * 1024 };

const history = ".history";

/** One copy at a time in each lab's folder: two would remove the same oldest ones, and keep the same text twice. */
const queue = new KeyedQueue();

/** What a copy is named: its time. Sorted by name is sorted by time, and no character in it means anything to a shell. */
const copyName = /^\d{4}-[\w.-]+$/;

/** A file of a lab, and the workspace that both are in. */
export interface LabFile {
  root: string;
  lab: LabId;
  file: string;
}

/** The folder of a lab's copies, from the workspace on. */
const foldersOf = (lab: LabId) => [history, ...lab.split("/")];

/** Folder of the copies of one file. That it exists also says that the student got this file once. */
export const historyOf = ({ root, lab, file }: LabFile) => join(root, ...foldersOf(lab), file);

/** Has the student got this file once? */
export const wasGiven = (file: LabFile) => stampOf(historyOf(file)) !== "";

/** Remembers that the student has got this file. */
export async function markGiven({ root, lab, file }: LabFile): Promise<void> {
  await makeFolders(root, [...foldersOf(lab), file]);
}

/**
 * Keeps a copy, unless the newest one is the same.
 * @param durable false: do not wait for the disk, because the text is safe elsewhere
 * @returns path of the copy that holds this content
 */
export function keepCopy(file: LabFile, bytes: Uint8Array, durable = true): Promise<string> {
  return queue.run(`${file.root} ${file.lab}`, () => keep(file, bytes, durable));
}

/** Moves the copies of a file to its new name, to those that a file of that name had before. */
export function moveCopies(file: LabFile, to: string): Promise<void> {
  const { root, lab } = file;
  return queue.run(`${root} ${lab}`, async () => {
    if (!wasGiven(file)) return;
    await markGiven({ root, lab, file: to });
    await OpenFolder.within(join(root, ...foldersOf(lab)), async all => {
      await all.inside(file.file, from => all.inside(to, into => moveAll(from, into, extname(to))));
      await all.removeEmptyFolder(file.file);
    });
  });
}

/** Moves copies. One of the same millisecond as a copy that is there stays, under its old name. */
async function moveAll(from: OpenFolder, into: OpenFolder, extension: string): Promise<void> {
  for (const copy of await copiesIn(from)) {
    const name = `${basename(copy, extname(copy))}${extension}`;
    if (!(await into.has(name))) await from.moveTo(into, copy, name);
  }
}

async function keep(file: LabFile, bytes: Uint8Array, durable: boolean): Promise<string> {
  const path = historyOf(file);
  if (!wasGiven(file)) await markGiven(file);
  const kept = await OpenFolder.within(path, async folder => {
    const newest = (await copiesIn(folder)).at(-1);
    const last = newest === undefined ? null : await folder.find(newest, limits.fileBytes);
    if (last?.kind === "file" && sha256(last.bytes) === sha256(bytes)) return { name: newest!, made: false };
    return { name: await create(folder, extname(file.file), bytes, durable), made: true };
  });
  if (kept.made) await prune(join(file.root, ...foldersOf(file.lab)));
  return join(path, kept.name);
}

async function create(
  folder: OpenFolder,
  extension: string,
  bytes: Uint8Array,
  durable: boolean,
): Promise<string> {
  const time = new Date().toISOString().replaceAll(":", "-");
  for (let n = 1; ; n++) {
    const name = `${time}${n > 1 ? `-${n}` : ""}${extension}`;
    try {
      await folder.create(name, bytes, 0o644, durable);
      return name;
    } catch (error) {
      // Two copies in one millisecond: the second gets a number.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** The names of the copies in a file's folder, the newest last. */
async function copiesIn(folder: OpenFolder): Promise<string[]> {
  const { entries } = await folder.list();
  return entries
    .filter(({ name, kind }) => kind === "file" && copyName.test(name))
    .map(({ name }) => name)
    .sort();
}

/** Removes a lab's oldest copies above the cap; the newest one always stays. */
async function prune(path: string): Promise<void> {
  await OpenFolder.within(path, async all => {
    const copies: { folder: string; name: string; size: number }[] = [];
    for (const { name: folder, kind } of (await all.list()).entries) {
      if (kind !== "folder") continue;
      await all.inside(folder, async one => {
        for (const name of await copiesIn(one)) copies.push({ folder, name, size: await one.sizeOf(name) });
      });
    }
    copies.sort((a, b) => (a.name < b.name ? 1 : -1));
    let bytes = 0;
    for (const [i, { folder, name, size }] of copies.entries()) {
      bytes += size;
      if (i > 0 && (i >= cap.copies || bytes > cap.bytes))
        await all.inside(folder, one => one.remove(name).catch(unlessGone));
    }
  });
}

/**
 * Makes the folder of a lab's copies where it is missing. Copies of earlier editions of the workbook are in the lab's own
 * folder: they are copied, and then removed there. This happens once, so that no program can have its files taken for
 * copies later. What is no copy stays where it is.
 */
export async function openHistory(root: string, lab: LabId): Promise<void> {
  const folders = foldersOf(lab);
  if (stampOf(join(root, ...folders)) !== "") return;
  await makeFolders(root, folders.slice(0, -1));
  const name = folders.at(-1)!;
  const copied: { file: string; copy: string }[] = [];
  await OpenFolder.within(join(root, ...folders.slice(0, -1)), async all => {
    const beside = `.${name}.${randomBytes(4).toString("hex")}.tmp`;
    try {
      await all.makeFolder(beside);
      await all.inside(beside, fresh =>
        inOldHistory(root, lab, async old => {
          for (const { name: file, kind } of (await old.list()).entries)
            if (kind === "folder")
              for (const copy of await copyAll(old, fresh, file)) copied.push({ file, copy });
        }),
      );
      // Until here a killed lab server has changed nothing that it would not do again.
      await all.rename(beside, name);
    } catch (error) {
      // On a full disk each try would leave its copies.
      await all.removeFolder(beside).catch(() => {});
      throw error;
    }
  });
  await inOldHistory(root, lab, async old => {
    for (const { file, copy } of copied) await old.inside(file, one => one.remove(copy)).catch(() => {});
    for (const { name: file } of (await old.list()).entries) await old.removeEmptyFolder(file);
  });
  await OpenFolder.within(join(root, ...lab.split("/")), folder => folder.removeEmptyFolder(history)).catch(
    () => {},
  );
}

/** Copies a file's copies from one history to the other. @returns their names */
async function copyAll(old: OpenFolder, fresh: OpenFolder, file: string): Promise<string[]> {
  await fresh.makeFolder(file);
  return old.inside(file, from =>
    fresh.inside(file, async to => {
      const names = (await copiesIn(from)).slice(-cap.copies);
      const copied: string[] = [];
      for (const name of names) {
        const found = await from.find(name, limits.fileBytes);
        if (found.kind !== "file") continue;
        await to.create(name, found.bytes);
        copied.push(name);
      }
      return copied;
    }),
  );
}

/** Works in the history of an earlier edition, if the lab's folder has one that is a folder. */
async function inOldHistory(
  root: string,
  lab: LabId,
  work: (old: OpenFolder) => Promise<void>,
): Promise<void> {
  await OpenFolder.within(join(root, ...lab.split("/")), async folder => {
    if ((await folder.find(history, 0)).kind === "folder") await folder.inside(history, work);
  }).catch(error => {
    // A link in its place is not the workbook's.
    if (!(error instanceof WorkspaceError)) throw error;
  });
}

/** A person, or another lab server, may remove a copy too: what is gone needs no room. */
function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
