// Module graph. The files of its own that a program consists of, as they are now: the file that starts, what it imports,
// and what those import. A run serves these texts to its program, so that a save during the run changes nothing in it.
import { relative, sep } from "node:path";
import { etagOf, toText, UnfitText } from "../lib/source-text.ts";
import type { RefusalStatement, RefusedReason } from "../protocol.ts";
import { candidates, isRelative, kindOf } from "./resolve.ts";
import { type Stripped, type StripTypes, strip, type WrittenImport } from "./strip.ts";

/** A file of a program as its process loads it. */
export interface ModuleText {
  /** JavaScript, or JSON as it is. */
  javascript: string;
  etag: string;
}

/** Absolute path → text, the entry first; or why the program cannot run. */
export type Collected =
  | { modules: Map<string, ModuleText> }
  | { reason: RefusedReason; statement: RefusalStatement };

/** Absolute path → the last text whose types were blanked, and the result. */
export type StripCache = Map<string, { text: string; stripped: Promise<Stripped> }>;

interface CollectOptions {
  /** Absolute path of the file that starts, and its text, which need not be on the disk. */
  entry: string;
  text: string;
  /** The folder beyond which nothing is read; its files are named by their path in it. */
  folder: string;
  /** May a program import what is outside of the folder? The files are then left to its process. */
  open?: boolean;
  /** @returns the bytes of a file; null where there is no file */
  read: (path: string) => Promise<Uint8Array | null>;
  /** Results of before, for files whose text is the same; what is not used any more is removed. */
  cache?: StripCache;
  /** Else this process blanks the types. */
  strip?: StripTypes;
}

const most = { files: 500, megabytes: 8 };

/** Collects the files of a program. @throws what `read` throws */
export async function collectModules(options: CollectOptions): Promise<Collected> {
  const { entry, text, cache = new Map() } = options;
  const collecting = new Collecting({ ...options, cache });
  const refused = await collecting.all(entry, text);
  for (const path of cache.keys()) if (!collecting.modules.has(path)) cache.delete(path);
  return refused ?? { modules: collecting.modules };
}

type Refused = Extract<Collected, { reason: unknown }>;

class Collecting {
  readonly modules = new Map<string, ModuleText>();
  readonly #options: CollectOptions & { cache: StripCache };
  readonly #waiting: { path: string; text: string }[] = [];
  #length = 0;

  constructor(options: CollectOptions & { cache: StripCache }) {
    this.#options = options;
  }

  async all(entry: string, text: string): Promise<Refused | null> {
    this.#waiting.push({ path: entry, text });
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const refused = await this.#add(next.path, next.text);
      if (refused) return refused;
    }
    return null;
  }

  async #add(path: string, text: string): Promise<Refused | null> {
    const name = relative(this.#options.folder, path);
    const etag = etagOf(Buffer.from(text));
    this.#length += text.length;
    if (this.modules.size >= most.files || this.#length > most.megabytes * 1024 * 1024)
      return { reason: "module", statement: { code: "too-many-modules", ...most } };
    if (kindOf(path) === "json") {
      this.modules.set(path, { javascript: text, etag });
      return jsonMistake(name, text);
    }
    const stripped = await this.#strip(path, name, text);
    if ("reason" in stripped) return stripped;
    this.modules.set(path, { javascript: stripped.javascript, etag });
    for (const one of stripped.imports) {
      const refused = isRelative(one.specifier) ? await this.#follow(one, path, name) : null;
      if (refused) return refused;
    }
    return null;
  }

  /** Finds the file that an import names, and puts it on the list. */
  async #follow(written: WrittenImport, importer: string, file: string): Promise<Refused | null> {
    const { folder, open, read } = this.#options;
    const { specifier, line, column, needed } = written;
    const paths = candidates(specifier, importer);
    const refusal = (code: "module-missing" | "module-outside"): Refused | null =>
      needed ? { reason: "module", statement: { code, file, line, column, specifier } } : null;
    if (!open && !paths[0]!.startsWith(folder + sep)) return refusal("module-outside");
    for (const path of paths) {
      if (this.modules.has(path) || this.#waiting.some(other => other.path === path)) return null;
      const bytes = await read(path);
      if (bytes === null) continue;
      return kindOf(path) === "native" ? null : this.#wait(path, bytes);
    }
    return refusal("module-missing");
  }

  #wait(path: string, bytes: Uint8Array): Refused | null {
    try {
      this.#waiting.push({ path, text: toText(bytes, relative(this.#options.folder, path)) });
      return null;
    } catch (error) {
      if (!(error instanceof UnfitText)) throw error;
      return { reason: "unreadable", statement: { code: "text-unreadable", text: error.message } };
    }
  }

  #strip(path: string, name: string, text: string): Promise<Stripped> {
    const { cache } = this.#options;
    const last = cache.get(path);
    if (last?.text === text) return last.stripped;
    const stripped = (this.#options.strip ?? strip)(name, text);
    const made = { text, stripped };
    cache.set(path, made);
    // What failed is tried again the next time.
    stripped.catch(() => cache.get(path) === made && cache.delete(path));
    return stripped;
  }
}

/** Why a text is not JSON, with the place that the parser names. */
function jsonMistake(file: string, text: string): Refused | null {
  try {
    JSON.parse(text.replace(/^\ufeff/, ""));
    return null;
  } catch (error) {
    const { message } = error as Error;
    const at = /position (\d+)/.exec(message)?.[1];
    const before = text.slice(0, at === undefined ? text.length : Number(at)).split("\n");
    const place = { file, line: before.length, column: before.at(-1)!.length + 1 };
    return { reason: "syntax", statement: { code: "syntax-error", ...place, text: message } };
  }
}
