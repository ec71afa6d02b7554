// Preparation of a run. The text without its types, a port that is free, a folder, a sandbox. If one of them is missing,
// the run is refused, and nothing has been started.
import { dirname, relative } from "node:path";
import { type Book, type Lab, labFile } from "../book.ts";
import { freePort, holderOf, isFree } from "../kernel.ts";
import {
  type Collected,
  collectModules,
  type ModuleText,
  type StripCache,
  type StripTypes,
  strip,
} from "../modules.ts";
import type { RunFolders, SandboxLevel, Setting, Spares } from "../process.ts";
import type { CheckBody, LabId, RefusalStatement, RunBody, RunId } from "../protocol.ts";
import { checkerPart } from "./checker.ts";
import { programPart } from "./program.ts";
import type { Part, ProcessRun, RefusedStart } from "./run.ts";
import type { FolderUse } from "./watchdog.ts";

/** What runs need of a workspace. */
export interface Files {
  path(lab: LabId, file: string): string;
  read(lab: LabId, file: string): Promise<{ text: string }>;
  /** The bytes of a module of the student's; null where there is no such file. */
  readModule(lab: LabId, path: string): Promise<Uint8Array | null>;
  /** The lab's folder; made when it is missing. */
  ensure(lab: LabId): Promise<string>;
  /** What the lab's folder takes on the disk. */
  use(lab: LabId): Promise<FolderUse>;
}

export interface RunsOptions {
  book: Pick<Book, "lab">;
  workspace: Files;
  /** The workbook's own folder, built. */
  packageRoot: string;
  sandbox: SandboxLevel;
  /** Keeps a spare process, so that starts are warm. */
  spare?: boolean;
  /** Blanks types; else this process does. */
  strip?: StripTypes;
  /** Called with errors that are mistakes of the lab server. It must not throw. */
  unexpected?(error: unknown): void;
}

const defaultDescriptors = 4096;

export class Preparing {
  readonly #options: RunsOptions;
  readonly #folders: RunFolders;
  readonly #spares: Spares;
  readonly #runs: ReadonlyMap<RunId, ProcessRun>;
  /** Lab → the last texts whose types were blanked, and the results. */
  readonly #stripped = new Map<LabId, StripCache>();

  /** @param runs all runs: one of them may hold the port, or has to end to make room for the new one */
  constructor(
    options: RunsOptions,
    folders: RunFolders,
    spares: Spares,
    runs: ReadonlyMap<RunId, ProcessRun>,
  ) {
    this.#options = options;
    this.#folders = folders;
    this.#spares = spares;
    this.#runs = runs;
  }

  async program(run: ProcessRun, lab: Lab, body: RunBody): Promise<Part | RefusedStart> {
    const { workspace } = this.#options;
    const { file = labFile } = body;
    const text = body.text ?? (await workspace.read(lab.id, file)).text;
    // The disk works while the compiler does; the spare that awaits the folder gets its error.
    const folder = workspace.ensure(lab.id);
    folder.catch(() => {});
    const collected = await this.#collect(lab.id, text, file);
    if ("reason" in collected) return collected;
    if (body.instead !== undefined) await this.#runs.get(body.instead)?.stop();
    const asked = body.port ?? lab.port;
    const port = asked === 0 ? await freePort() : asked;
    run.port = port;
    const taken = await this.#taken(port);
    if (taken) return taken;
    const name = workspace.path(lab.id, file);
    const { args = [String(port)] } = body;
    const setting = this.#settingIn(dirname(name), lab);
    const { modules } = collected;
    const take = () => this.#spares.acquire(setting, folder);
    const part = await programPart({
      ...{ run, take, setting, name, modules, args, port, pace: body.pace },
      folderUse: () => workspace.use(lab.id),
    });
    return Object.assign(part, etagsOf(modules, name));
  }

  async check(run: ProcessRun, lab: Lab, body: CheckBody): Promise<Part | RefusedStart> {
    const { workspace, sandbox, packageRoot } = this.#options;
    const text = body.text ?? (await workspace.read(lab.id, labFile)).text;
    // A text that cannot run is refused at once, and not by every check in turn.
    const collected = await this.#collect(lab.id, text);
    if ("reason" in collected) return collected;
    const { modules } = collected;
    const ensured = await workspace.ensure(lab.id);
    const folder = this.#folders.create();
    const part = await checkerPart({
      run,
      sandbox,
      packageRoot,
      folder,
      workspace: ensured,
      lab,
      name: workspace.path(lab.id, labFile),
      modules,
      strip: this.#strip,
      only: body.only ?? [],
      scoreboard: body.scoreboard ?? false,
      folderUse: () => workspace.use(lab.id),
    }).catch(async error => {
      await folder.remove();
      throw error;
    });
    return Object.assign(part, etagsOf(modules, workspace.path(lab.id, labFile)));
  }

  /** Where and how the programs of a lab run. Makes the lab's folder when it is missing. */
  async setting(lab: Lab): Promise<Setting> {
    return this.#settingIn(await this.#options.workspace.ensure(lab.id), lab);
  }

  /** Blanks the types of the text on the disk ahead of time, so that the next start finds that done. */
  async foresee(lab: LabId): Promise<void> {
    const { text } = await this.#options.workspace.read(lab, labFile);
    await this.#collect(lab, text);
  }

  #settingIn(workspace: string, { descriptors = defaultDescriptors }: Lab): Setting {
    const { sandbox, packageRoot } = this.#options;
    return { sandbox, packageRoot, workspace, descriptors };
  }

  get #strip(): StripTypes {
    return this.#options.strip ?? strip;
  }

  /** The files of a lab's program, with their types blanked; what has not changed since the last time is not done again. */
  #collect(lab: LabId, text: string, file = labFile): Promise<Collected> {
    const { workspace } = this.#options;
    const cache = this.#stripped.get(lab) ?? new Map();
    this.#stripped.set(lab, cache);
    const entry = workspace.path(lab, file);
    const read = (path: string) => workspace.readModule(lab, path);
    return collectModules({ entry, text, folder: dirname(entry), read, cache, strip: this.#strip });
  }

  /** Why a program cannot have this port; null when the port is free. */
  async #taken(port: number): Promise<RefusedStart | null> {
    if (await isFree(port)) return null;
    const holder = await holderOf(port);
    const ours = holder && [...this.#runs.values()].find(run => run.contains(holder.pid));
    return { reason: "port-taken", statement: takenStatement(port, await freePort(port + 1), holder, ours) };
  }
}

/** The ETags of what runs. @param name absolute path of the file that starts */
function etagsOf(modules: Map<string, ModuleText>, name: string): Pick<Part, "etag" | "modules"> {
  const all = [...modules].map(([path, { etag }]) => [relative(dirname(name), path), etag] as const);
  const own = Object.fromEntries(all.slice(1));
  return { etag: all[0]![1], ...(all.length > 1 ? { modules: own } : {}) };
}

function takenStatement(
  port: number,
  freePort: number,
  holder: { pid: number; command: string } | null,
  ours: ProcessRun | null | undefined,
): RefusalStatement {
  if (ours) {
    const { id: run, lab, kind } = ours;
    return { code: "port-held-by-run", port, holder: { run, lab, kind }, freePort };
  }
  if (!holder) return { code: "port-bound", port, freePort };
  return { code: "port-held-by-process", port, holder, freePort };
}
