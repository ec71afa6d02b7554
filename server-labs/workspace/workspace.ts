// Workspace. The folder with the student's own copies of lab files: the truth of the student's work.
// Every save names the text that it replaces; a text that the student replaces unseen is kept in .history.
import { join } from "node:path";
import { type Book, type Lab, starterBytes } from "../book.ts";
import { errorInWords } from "../lib/atomic-save.ts";
import { KeyedQueue } from "../lib/keyed-queue.ts";
import { absent, etagOf, matches, toBytes, toText } from "../lib/source-text.ts";
import { type LabId, type LabSummary, limits } from "../protocol.ts";
import { type Changed, Changes, inotifyWorks } from "./changes.ts";
import { onPath, WorkspaceError } from "./error.ts";
import { keepCopy, moveCopies } from "./history.ts";
import { bytesOf, isOwnName, ownNames, readLabFile, replaceLabFile } from "./lab-file.ts";
import { scaffoldLab, scaffoldWorkspace } from "./scaffold.ts";
import { makeRoot, OpenFolder, stampOf } from "./tree.ts";

/** A folder with more files and folders is not counted to its end: twice what one run may add. */
const mostCounted = 2 * limits.runFolderEntries;

export class Workspace {
  readonly root: string;
  readonly #book: Book;
  readonly #packageRoot: string;
  /** True where inotify reports nothing: changes by other editors are found by looking once a second. */
  readonly polling: boolean;
  readonly #queue = new KeyedQueue();
  readonly #changes: Changes;
  /** Labs' folders that are being made ready: a second caller gets the same promise. */
  readonly #ensuring = new Map<string, Promise<string>>();

  private constructor(root: string, book: Book, packageRoot: string, polling: boolean) {
    this.root = root;
    this.#book = book;
    this.#packageRoot = packageRoot;
    this.polling = polling;
    this.#changes = new Changes(polling, this.#queue);
  }

  /**
   * Makes the workspace ready: its folder, what editors and shells need in it, and a try whether inotify works there.
   * @throws WorkspaceError "workspace-unusable" when the folder cannot be made or written
   */
  static async open(options: { root: string; book: Book; packageRoot: string }): Promise<Workspace> {
    try {
      const root = await makeRoot(options.root);
      await OpenFolder.within(root, folder => folder.sweep());
      await scaffoldWorkspace(root, options.packageRoot);
      return new Workspace(root, options.book, options.packageRoot, !(await inotifyWorks(root)));
    } catch (error) {
      const why = errorInWords(error);
      throw new WorkspaceError({ code: "workspace-unusable", path: options.root, why });
    }
  }

  /** Absolute path of a lab's file in the workspace. @throws WorkspaceError "unknown-lab", "unfit-name" */
  path(lab: LabId, file: string): string {
    if (!this.#isLabs(lab, file) && !isOwnName(file))
      throw new WorkspaceError({ code: "unfit-name", file: file.slice(0, 100), most: limits.fileNameLength });
    return join(this.#folder(lab), file);
  }

  /** Is it a file that the lab begins with, and not one that the student has made? */
  #isLabs(lab: LabId, file: string): boolean {
    return this.#lab(lab).files.some(known => known.file === file);
  }

  /** The bytes of a file; null without one, and without the lab's folder. */
  async #bytes(lab: LabId, file: string): Promise<Buffer | null> {
    this.path(lab, file);
    const isLabs = this.#isLabs(lab, file);
    return this.#inFolder(lab, folder => readLabFile(folder, file, isLabs), null);
  }

  /** Works in a lab's folder. @param without the result where there is no such folder */
  #inFolder<T>(lab: LabId, work: (folder: OpenFolder) => Promise<T>, without: T): Promise<T> {
    const path = this.#folder(lab);
    return onPath(path, () =>
      OpenFolder.within(path, work).catch(error => {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return without;
        throw error;
      }),
    );
  }

  /**
   * Makes a lab's folder if this is the first time that it is opened, and watches it.
   * @returns the folder's absolute path
   */
  async ensure(lab: LabId): Promise<string> {
    const folder = this.#folder(lab);
    const under = this.#ensuring.get(folder);
    if (under) return under;
    const ensuring = this.#ensure(lab, folder).finally(() => this.#ensuring.delete(folder));
    this.#ensuring.set(folder, ensuring);
    return ensuring;
  }

  #ensure(lab: LabId, folder: string): Promise<string> {
    const { id, files, site } = this.#lab(lab);
    return this.#queue.run(folder, () =>
      onPath(folder, async () => {
        if (stampOf(this.root) === "") await makeRoot(this.root);
        await scaffoldLab(this.root, { id, files, site }, this.#packageRoot);
        const isLabs = (name: string) => files.some(({ file }) => file === name);
        const isNew = this.#changes.watch(lab, folder, {
          isShown: name => isLabs(name) || isOwnName(name),
          read: name => this.#bytes(lab, name),
        });
        if (isNew) await OpenFolder.within(folder, one => one.sweep());
        return folder;
      }),
    );
  }

  /** @throws WorkspaceError "unknown-file", "file-removed", "unfit-text", "link-not-followed", "storage-failed" */
  async read(lab: LabId, file: string): Promise<{ text: string; etag: string }> {
    const path = this.path(lab, file);
    const folder = await this.ensure(lab);
    const bytes = await this.#bytes(lab, file);
    if (!bytes && !this.#isLabs(lab, file)) throw await this.#unknownFile(lab, file);
    if (!bytes) throw new WorkspaceError({ code: "file-removed", path, text: null, etag: absent });
    const etag = etagOf(bytes);
    this.#changes.seen(lab, folder, file, etag);
    return { text: await onPath(path, () => toText(bytes, file)), etag };
  }

  async #unknownFile(lab: LabId, file: string): Promise<WorkspaceError> {
    const known = (await this.files(lab)).map(one => one.file);
    return new WorkspaceError({ code: "unknown-file", lab, file, known });
  }

  /**
   * The bytes of a module that a program of this lab imports; null where there is no such file.
   * @param path absolute, in the lab's folder
   * @throws WorkspaceError "link-not-followed", "unfit-text", "storage-failed"
   */
  readModule(lab: LabId, path: string): Promise<Buffer | null> {
    return readModuleIn(this.#folder(lab), path);
  }

  /**
   * Saves a text over the one that the caller knows.
   * @param ifMatch the ETag that was read; `""` when the caller knows that there is no file; `*` for any
   * @throws WorkspaceError "if-match-missing", "file-changed" (with the text that is there), and those of read()
   */
  async write(
    lab: LabId,
    file: string,
    text: string,
    ifMatch: string | undefined,
  ): Promise<{ etag: string }> {
    const path = this.path(lab, file);
    const bytes = await onPath(path, () => toBytes(text));
    if (ifMatch === undefined) throw new WorkspaceError({ code: "if-match-missing", file });
    const folder = await this.ensure(lab);
    return this.#queue.run(path, async () => {
      const there = await this.#bytes(lab, file);
      const etag = etagOf(bytes);
      // The same text again is what a page sends that did not hear the first answer.
      if (there && etagOf(there) === etag) return { etag };
      if (!matches(ifMatch, there ? etagOf(there) : absent)) throw await changed(path, file, there);
      // Only "*" may meet a text that the caller has never seen.
      if (there && ifMatch.trim() === "*") await onPath(path, () => this.#keepCopy(lab, file, there));
      if (!there && !this.#isLabs(lab, file) && (await this.#names(lab)).names.length >= limits.labFiles)
        throw new WorkspaceError({ code: "too-many-files", most: limits.labFiles });
      await this.#replace(lab, file, bytes, there);
      this.#changes.saved(lab, folder, file, etag);
      return { etag };
    });
  }

  /**
   * Puts the bytes in the file's place.
   * @param there what the caller knows to be there: what another editor has saved meanwhile is not overwritten
   */
  #replace(lab: LabId, file: string, bytes: Uint8Array, there: Buffer | null): Promise<void> {
    const path = this.path(lab, file);
    const given = this.#isLabs(lab, file);
    const stillThere = async () => {
      const now = await this.#bytes(lab, file);
      if (now === null || there === null || !now.equals(there)) throw await changed(path, file, now);
    };
    return onPath(path, () =>
      OpenFolder.within(this.#folder(lab), folder =>
        replaceLabFile(folder, file, bytes, { given, stillThere }).catch(async error => {
          const now = error.code === "EEXIST" ? await this.#bytes(lab, file) : null;
          throw now ? await changed(path, file, now) : error;
        }),
      ),
    );
  }

  #keepCopy(lab: LabId, file: string, bytes: Uint8Array, durable = true): Promise<string> {
    return keepCopy({ root: this.root, lab, file }, bytes, durable);
  }

  /** The names of the files in a lab's folder that a page shows; none without the folder. */
  #names(lab: LabId): Promise<{ names: string[]; crowded: boolean }> {
    return this.#inFolder(lab, async folder => ownNames(await folder.list()), { names: [], crowded: false });
  }

  /**
   * Removes a file that the student has made; a copy is kept in .history.
   * @param ifMatch as for write()
   * @returns the path of the copy
   * @throws WorkspaceError "file-needed", "unknown-file", "if-match-missing", "file-changed", and those of read()
   */
  async remove(lab: LabId, file: string, ifMatch: string | undefined): Promise<{ kept: string }> {
    const path = this.path(lab, file);
    if (this.#isLabs(lab, file)) throw new WorkspaceError({ code: "file-needed", file });
    if (ifMatch === undefined) throw new WorkspaceError({ code: "if-match-missing", file });
    const folder = await this.ensure(lab);
    return this.#queue.run(path, async () => {
      const there = await this.#bytes(lab, file);
      if (!there) throw await this.#unknownFile(lab, file);
      const etag = etagOf(there);
      if (!matches(ifMatch, etag)) throw await changed(path, file, there);
      const kept = await onPath(path, () => this.#keepCopy(lab, file, there));
      await onPath(path, () => OpenFolder.within(folder, one => one.remove(file)));
      this.#changes.saved(lab, folder, file, absent);
      return { kept };
    });
  }

  /**
   * Gives a file that the student has made another name; its copies in .history go with it.
   * @param ifMatch as for write()
   * @throws WorkspaceError "file-needed", "unknown-file", "file-exists", "if-match-missing", "file-changed", and those of
   * read()
   */
  async rename(lab: LabId, file: string, to: string, ifMatch: string | undefined): Promise<{ etag: string }> {
    const [path, target] = [this.path(lab, file), this.path(lab, to)];
    if (this.#isLabs(lab, file)) throw new WorkspaceError({ code: "file-needed", file });
    if (ifMatch === undefined) throw new WorkspaceError({ code: "if-match-missing", file });
    const folder = await this.ensure(lab);
    // In one order, so that two renames never wait for each other.
    const [first, second] = [path, target].sort() as [string, string];
    const alone = <T>(work: () => Promise<T>) =>
      this.#queue.run(first, () => (first === second ? work() : this.#queue.run(second, work)));
    return alone(async () => {
      const there = await this.#bytes(lab, file);
      if (!there) throw await this.#unknownFile(lab, file);
      const etag = etagOf(there);
      if (!matches(ifMatch, etag)) throw await changed(path, file, there);
      if (await this.#bytes(lab, to)) throw new WorkspaceError({ code: "file-exists", file: to });
      // The new one first: at no moment is there none.
      await onPath(path, () => this.#keepCopy(lab, file, there));
      await this.#replace(lab, to, there, null);
      await onPath(path, () => OpenFolder.within(folder, one => one.remove(file)));
      await onPath(path, () => moveCopies({ root: this.root, lab, file }, to));
      this.#changes.saved(lab, folder, to, etag);
      this.#changes.saved(lab, folder, file, absent);
      return { etag };
    });
  }

  /**
   * The starter again. What was there is kept in .history.
   * @returns the new text, and the path of the copy that was kept (null when there was nothing to keep)
   */
  async reset(lab: LabId, file: string): Promise<{ text: string; etag: string; kept: string | null }> {
    const path = this.path(lab, file);
    const starter = this.#lab(lab).files.find(known => known.file === file)?.starter;
    if (starter === undefined)
      throw new WorkspaceError({
        ...{ code: "unknown-file", lab, file },
        known: this.#lab(lab).files.map(one => one.file),
      });
    const folder = await this.ensure(lab);
    return this.#queue.run(path, async () => {
      const fresh = await onPath(starter, () => starterBytes(starter));
      const there = await this.#bytes(lab, file);
      const kept = there && (await onPath(path, () => this.#keepCopy(lab, file, there)));
      await this.#replace(lab, file, fresh, there);
      const etag = etagOf(fresh);
      this.#changes.saved(lab, folder, file, etag);
      return { text: fresh.toString(), etag, kept };
    });
  }

  /** Keeps a copy of what is about to run: this text, or the file as it is. Never rejects, so that it stops no run. */
  async keep(lab: LabId, file: string, text?: string): Promise<void> {
    try {
      await this.ensure(lab);
      const bytes = text === undefined ? await this.#bytes(lab, file) : toBytes(text);
      // To sync it would be most of the time from a click to the first line; a saved text is on the disk already.
      if (bytes) await this.#keepCopy(lab, file, bytes, false);
    } catch {
      // A full disk must not keep a student from running a draft.
    }
  }

  /** A lab's files as they are, or as opening it would make them. */
  async files(lab: LabId): Promise<LabSummary["files"]> {
    return (await this.contents(lab)).files;
  }

  /** A lab's files, and whether its folder has more than are listed. */
  async contents(lab: LabId): Promise<Pick<LabSummary, "files" | "crowded">> {
    const opened = stampOf(this.#folder(lab)) !== "";
    const labs = this.#lab(lab).files;
    const starters = new Map(labs.map(({ file, starter }) => [file, starter]));
    // A link in the folder's place is reported when a file is read, not in a list.
    const own = await this.#names(lab).catch(() => ({ names: [], crowded: false }));
    const files = [...new Set([...starters.keys(), ...own.names])].map(async file => {
      const path = this.path(lab, file);
      // A folder or a picture in the file's place is reported when the file is read, not in a list.
      const found = await this.#bytes(lab, file).catch(() => null);
      const starter = starters.get(file);
      const bytes = found ?? (opened || !starter ? null : await starterBytes(starter));
      return { file, etag: bytes ? etagOf(bytes) : absent, bytes: bytes?.length ?? 0, path };
    });
    const crowded = { code: "folder-crowded", path: this.#folder(lab), most: limits.labFiles } as const;
    return { files: await Promise.all(files), ...(own.crowded ? { crowded } : {}) };
  }

  /** What a lab's folder takes on the disk: bytes, and files and folders. @throws WorkspaceError "storage-failed" */
  use(lab: LabId): Promise<{ bytes: number; entries: number }> {
    return this.#inFolder(lab, folder => folder.use(mostCounted), { bytes: 0, entries: 0 });
  }

  /** Calls the listener whenever a file's text has changed, by a save or by another editor. */
  onChange(listener: Changed): () => void {
    return this.#changes.on(listener);
  }

  close(): void {
    this.#changes.close();
  }

  #lab(id: LabId): Lab {
    const lab = this.#book.lab(id);
    if (lab) return lab;
    throw new WorkspaceError({ code: "unknown-lab", lab: id, known: this.#book.labs.map(lab => lab.id) });
  }

  /** The id comes from the book, so it is two plain names. */
  #folder(lab: LabId): string {
    return join(this.root, ...this.#lab(lab).id.split("/"));
  }
}

/**
 * The bytes of a module below a lab's folder; null where there is no such file.
 * @param folder the lab's folder, with no link in its path
 * @param path absolute
 * @throws WorkspaceError "link-not-followed", "unfit-text" for a file that is too long, "storage-failed"
 */
export function readModuleIn(folder: string, path: string): Promise<Buffer | null> {
  if (!path.startsWith(`${folder}/`)) return Promise.resolve(null);
  const below = path.slice(folder.length + 1);
  return onPath(path, async () => {
    const found = await OpenFolder.within(folder, one => one.findBelow(below, limits.fileBytes));
    return bytesOf(found, path, false);
  });
}

/** What a caller is answered who knows another text than there is. */
async function changed(path: string, file: string, there: Buffer | null): Promise<WorkspaceError> {
  const text = there && (await onPath(path, () => toText(there, file)));
  return new WorkspaceError({ code: "file-changed", path, file, text, etag: there ? etagOf(there) : absent });
}
