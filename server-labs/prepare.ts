// What a run is made of before it can start: the text without its types, a port that is free, a folder, a sandbox. What
// cannot be had is a refusal that says so; nothing has been started by then.
import { dirname } from "node:path";
import { type Book, type Lab, labFile } from "./book.ts";
import { checkerPart } from "./checker.ts";
import { freePort, holderOf, isFree } from "./ports.ts";
import { programPart } from "./program.ts";
import type { CheckBody, LabId, RunBody, RunId } from "./protocol.ts";
import type { Run } from "./run.ts";
import type { RunFolders } from "./run-folder.ts";
import type { Part, Refusal } from "./run-part.ts";
import type { SandboxLevel } from "./sandbox.ts";
import type { Setting } from "./spare.ts";
import type { Spares } from "./spares.ts";
import { type Stripped, strip } from "./strip.ts";
import { etagOf } from "./text.ts";

/** What runs need of a workspace. */
export interface Files {
  path(lab: LabId, file: string): string;
  read(lab: LabId, file: string): Promise<{ text: string }>;
  /** The lab's folder; made when it is missing. */
  ensure(lab: LabId): Promise<string>;
}

export interface RunsOptions {
  book: Pick<Book, "lab">;
  workspace: Files;
  /** The workbook's own folder, built. */
  packageRoot: string;
  sandbox: SandboxLevel;
  /** Keeps a spare process, so that starts are warm. */
  spare?: boolean;
}

const defaultDescriptors = 4096;
export class Preparing {
  readonly #options: RunsOptions;
  readonly #folders: RunFolders;
  readonly #spares: Spares;
  readonly #runs: ReadonlyMap<RunId, Run>;
  /** Of each lab the last text whose types were blanked, and what came of it. */
  readonly #stripped = new Map<LabId, { text: string; stripped: Promise<Stripped> }>();

  /** @param runs those that there are: one of them may hold the port, or is to make room for the new one */
  constructor(options: RunsOptions, folders: RunFolders, spares: Spares, runs: ReadonlyMap<RunId, Run>) {
    this.#options = options;
    this.#folders = folders;
    this.#spares = spares;
    this.#runs = runs;
  }

  async program(run: Run, lab: Lab, body: RunBody): Promise<Part | Refusal> {
    const { workspace } = this.#options;
    const text = body.text ?? (await workspace.read(lab.id, labFile)).text;
    // The disk works while we do; what went wrong with it is told to whoever needs it.
    const furnished = workspace.ensure(lab.id);
    furnished.catch(() => {});
    const stripped = await this.#strip(lab.id, text);
    if ("reason" in stripped) return stripped;
    if (body.instead !== undefined) await this.#runs.get(body.instead)?.stop();
    const asked = body.port ?? lab.port;
    const port = asked === 0 ? await freePort() : asked;
    run.port = port;
    const taken = await this.#taken(port);
    if (taken) return taken;
    const name = workspace.path(lab.id, labFile);
    const setting = this.#settingIn(dirname(name), lab);
    const { javascript } = stripped;
    const etag = etagOf(Buffer.from(text));
    const take = () => this.#spares.take(setting, furnished);
    return programPart({ run, take, setting, name, javascript, etag, port, pace: body.pace });
  }

  async check(run: Run, lab: Lab, body: CheckBody): Promise<Part | Refusal> {
    const { workspace, sandbox, packageRoot } = this.#options;
    const text = body.text ?? (await workspace.read(lab.id, labFile)).text;
    // A text that cannot run is said at once, not by every check in turn.
    const stripped = await this.#strip(lab.id, text);
    if ("reason" in stripped) return stripped;
    const folder = this.#folders.create();
    return checkerPart({
      run,
      sandbox,
      packageRoot,
      folder,
      workspace: await workspace.ensure(lab.id),
      lab,
      file: labFile,
      text,
      javascript: stripped.javascript,
      only: body.only ?? [],
    });
  }

  /** Where and how the programs of a lab run; its folder is there then. */
  async setting(lab: Lab): Promise<Setting> {
    return this.#settingIn(await this.#options.workspace.ensure(lab.id), lab);
  }

  /** Takes the types from the text as it lies on the disk: who runs it next finds that done. */
  async foresee(lab: LabId): Promise<void> {
    const { text } = await this.#options.workspace.read(lab, labFile);
    await this.#strip(lab, text);
  }

  #settingIn(workspace: string, { descriptors = defaultDescriptors }: Lab): Setting {
    const { sandbox, packageRoot } = this.#options;
    return { sandbox, packageRoot, workspace, descriptors };
  }

  /** Blanks the types of a lab's text, unless it is the text that it was last time. */
  #strip(lab: LabId, text: string): Promise<Stripped> {
    const last = this.#stripped.get(lab);
    if (last?.text === text) return last.stripped;
    const stripped = strip(labFile, text);
    this.#stripped.set(lab, { text, stripped });
    return stripped;
  }

  /** Who is in the way of a program that wants this port; null when nobody is. */
  async #taken(port: number): Promise<Refusal | null> {
    if (await isFree(port)) return null;
    const holder = await holderOf(port);
    const free = await freePort(port + 1);
    const ours = holder && [...this.#runs.values()].find(run => run.contains(holder.pid));
    const common = { reason: "port-taken", freePort: free } as const;
    if (ours) {
      const sentence = `Port ${port} is held by your own ${ours.kind} of ${ours.lab}, which is still running. Stop it, or use port ${free}.`;
      return { ...common, sentence, holder: { run: ours.id, lab: ours.lab } };
    }
    if (!holder) {
      const sentence = `Port ${port} is taken, though nobody listens on it: a socket is bound there, or connections to an address of it are still closing. Try again, or use port ${free}.`;
      return { ...common, sentence };
    }
    const who = holder.pid > 0 ? `${holder.command} (pid ${holder.pid})` : holder.command;
    const sentence = `Port ${port} is held by ${who}, which is not a run of this workbook and is left alone. End it yourself, or use port ${free}.`;
    return { ...common, sentence, holder };
  }
}
