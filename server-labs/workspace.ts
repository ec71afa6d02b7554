// The folder with the student's own copies of lab files: the truth of the student's work. A starter is copied
// once and never over anything; every save names the text that it replaces; what is replaced on a person's
// demand is kept in .history. Nothing in here follows a link out of the workspace.
import { mkdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { starterBytes } from "./book/starter.ts";
import type { Book, Lab } from "./book.ts";
import { type Changed, Changes } from "./changes.ts";
import { furnish } from "./furnish.ts";
import { keepCopy } from "./history.ts";
import { layDown } from "./lay-down.ts";
import type { LabId, LabSummary } from "./protocol.ts";
import { errorInWords, sweep } from "./save.ts";
import { readSource, replaceSource } from "./source-file.ts";
import { absent, etagOf, matches, toBytes, toText } from "./text.ts";
import { Turns } from "./turns.ts";
import { inotifyWorks } from "./watch.ts";
import { conflict, inWords, noSuchFile, removed, unsaid, WorkspaceError } from "./workspace-error.ts";

export { WorkspaceError, type WorkspaceProblem } from "./workspace-error.ts";

export class Workspace {
  readonly root: string;
  readonly #book: Book;
  readonly #packageRoot: string;
  /** True where changes by other editors are found by looking once a second instead of being told. */
  readonly polling: boolean;
  readonly #turns = new Turns();
  readonly #changes: Changes;
  /** Labs' folders that are being made ready: who asks meanwhile is given the same. */
  readonly #ensuring = new Map<string, Promise<string>>();

  private constructor(root: string, book: Book, packageRoot: string, polling: boolean) {
    this.root = root;
    this.#book = book;
    this.#packageRoot = packageRoot;
    this.polling = polling;
    this.#changes = new Changes(root, polling, this.#turns);
  }

  /**
   * Makes the workspace ready: its folder, what editors and shells need in it, and a look whether it tells changes.
   * @throws WorkspaceError "storage" with a sentence when the folder cannot be made or written
   */
  static async open(options: { root: string; book: Book; packageRoot: string }): Promise<Workspace> {
    try {
      await mkdir(options.root, { recursive: true });
      const root = await realpath(options.root);
      await sweep(root);
      await furnish(root, options.packageRoot);
      return new Workspace(root, options.book, options.packageRoot, !(await inotifyWorks(root)));
    } catch (error) {
      const sentence = `The workspace ${options.root} cannot be used: ${errorInWords(error)}.`;
      throw new WorkspaceError("storage", sentence);
    }
  }

  /** Absolute path of a lab's file in the workspace. @throws WorkspaceError "unknown" */
  path(lab: LabId, file: string): string {
    const { files } = this.#lab(lab);
    const known = files.map(one => one.file);
    if (!known.includes(file)) throw noSuchFile(lab, file, known);
    return join(this.#folder(lab), file);
  }

  /**
   * Makes a lab's folder if this is the first time that it is opened, and watches it.
   * @returns the folder
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
    const { files } = this.#lab(lab);
    return this.#turns.take(folder, () =>
      inWords(folder, async () => {
        await layDown(this.root, folder, files, this.#packageRoot);
        const names = files.map(({ file }) => file);
        this.#changes.watch(lab, folder, names);
        return folder;
      }),
    );
  }

  /** @throws WorkspaceError "unknown", "missing", "unfit", "storage" */
  async read(lab: LabId, file: string): Promise<{ text: string; etag: string }> {
    const path = this.path(lab, file);
    const folder = await this.ensure(lab);
    const bytes = await readSource(this.root, path);
    if (!bytes) throw removed(path);
    const etag = etagOf(bytes);
    this.#changes.seen(lab, folder, file, etag);
    return { text: await inWords(path, () => toText(bytes, file)), etag };
  }

  /**
   * Saves a text over the one that the caller knows.
   * @param ifMatch the ETag that was read; `""` when the caller knows that there is no file; `*` for any
   * @throws WorkspaceError "required", "conflict" (with what is there), "unfit", "storage"
   */
  async write(
    lab: LabId,
    file: string,
    text: string,
    ifMatch: string | undefined,
  ): Promise<{ etag: string }> {
    const path = this.path(lab, file);
    const bytes = await inWords(path, () => toBytes(text));
    if (ifMatch === undefined) throw unsaid(file);
    const folder = await this.ensure(lab);
    return this.#turns.take(path, async () => {
      const there = await readSource(this.root, path);
      const etag = etagOf(bytes);
      const current = there ? etagOf(there) : absent;
      // The same text again is what a page sends that did not hear the first answer.
      if (current === etag) return { etag };
      if (!matches(ifMatch, current)) {
        const text = there && (await inWords(path, () => toText(there, file)));
        throw conflict(path, file, { text, etag: current });
      }
      // Only "*" may meet a text that the caller has never seen.
      if (there && ifMatch.trim() === "*") await inWords(path, () => keepCopy(folder, file, there));
      await replaceSource(this.root, path, bytes);
      this.#changes.saved(lab, folder, file, etag);
      return { etag };
    });
  }

  /**
   * The starter again. What was there is kept in .history.
   * @returns the new text, and the path of the copy that was kept (null when there was nothing to keep)
   */
  async reset(lab: LabId, file: string): Promise<{ text: string; etag: string; kept: string | null }> {
    const path = this.path(lab, file);
    const { starter } = this.#lab(lab).files.find(known => known.file === file)!;
    const folder = await this.ensure(lab);
    return this.#turns.take(path, async () => {
      const fresh = await inWords(starter, () => starterBytes(starter));
      const there = await readSource(this.root, path);
      const kept = there && (await inWords(path, () => keepCopy(folder, file, there)));
      await replaceSource(this.root, path, fresh);
      const etag = etagOf(fresh);
      this.#changes.saved(lab, folder, file, etag);
      return { text: fresh.toString(), etag, kept };
    });
  }

  /** Keeps a copy of what is about to run: this text, or the file as it is. Never stands in the way of a run. */
  async keep(lab: LabId, file: string, text?: string): Promise<void> {
    try {
      const folder = await this.ensure(lab);
      const bytes = text === undefined ? await readSource(this.root, this.path(lab, file)) : toBytes(text);
      // To sync it would be most of the time from a click to the first line; a saved text is on the disk already.
      if (bytes) await keepCopy(folder, file, bytes, false);
    } catch {
      // A full disk must not keep a student from running a draft: that is what the run is allowed for.
    }
  }

  /** A lab's files as they are, or as opening it would make them. */
  async files(lab: LabId): Promise<LabSummary["files"]> {
    const opened = await stat(this.#folder(lab)).catch(() => null);
    return Promise.all(
      this.#lab(lab).files.map(async ({ file, starter }) => {
        const path = this.path(lab, file);
        // A folder or a picture in the file's place is said when the file is read, not in a list.
        const found = await readSource(this.root, path).catch(() => null);
        const bytes = found ?? (opened ? null : await starterBytes(starter));
        return { file, etag: bytes ? etagOf(bytes) : absent, bytes: bytes?.length ?? 0, path };
      }),
    );
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
    if (!lab) throw new WorkspaceError("unknown", `There is no lab ${id}.`);
    return lab;
  }

  /** The id comes from the book, so it is two plain names. */
  #folder(lab: LabId): string {
    return join(this.root, ...this.#lab(lab).id.split("/"));
  }
}
