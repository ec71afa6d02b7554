// Text memory. The compiled texts of the book, each with what it was made from, so that a save compiles its own lesson again
// and no other. A folder keeps them for the next start.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BookProblem, fingerprintOf } from "../../../server-labs/book.ts";
import type { TextContent } from "../../lesson-content.ts";
import type { Context } from "./markdown.ts";
import type { Term } from "./terms.ts";

export interface CompiledText {
  content: TextContent;
  problems: BookProblem[];
  /** Hints for the author that are not mistakes. */
  notes: BookProblem[];
  /** Every file that it was made from, or looked for in vain, absolute. */
  files: string[];
}

/** What one text is made from. */
export interface Sources {
  /** Files and folders, absolute: a change in one of them makes the text anew. */
  paths: readonly string[];
  /** Whatever else the text depends on, as a text. */
  key: string;
}

interface Remembered {
  print: string;
  /** What the text looked up in the rest of the book, and what it found. */
  lookups: [name: string, found: string][];
  compiled: CompiledText;
}

export class TextMemory {
  readonly #folder: string | null;
  readonly #compiler: string;
  readonly #texts = new Map<string, Remembered>();

  /**
   * @param folder where the texts are kept for the next start; null keeps them in memory only
   * @param compiler what tells this version of the compiler from others
   */
  constructor(folder: string | null, compiler: string) {
    this.#folder = folder;
    this.#compiler = compiler;
  }

  /**
   * The text as it was compiled, if nothing that it was made from has changed; else compiles it.
   * @param compile makes the text; what it looks up in the context it was given is remembered
   */
  recall(
    id: string,
    sources: Sources,
    context: Context,
    compile: (context: Context) => CompiledText,
  ): CompiledText {
    const known = this.#texts.get(id) ?? this.#read(id);
    const find = lookupsIn(context);
    // Taken before the files are read: what an author saves while the text is compiled makes it anew the next time.
    const own = this.#print(sources);
    if (
      known !== undefined &&
      known.print === own + printOfOthers(sources, known.compiled.files) &&
      known.lookups.every(([name, found]) => find(name) === found)
    ) {
      this.#texts.set(id, known);
      return known.compiled;
    }
    const lookups = new Map<string, string>();
    const compiled = compile(noting(context, lookups));
    const print = own + printOfOthers(sources, compiled.files);
    const remembered = { print, lookups: [...lookups], compiled };
    this.#texts.set(id, remembered);
    this.#write(id, remembered);
    return compiled;
  }

  #print({ paths, key }: Sources): string {
    return [this.#compiler, key, ...paths.map(fingerprintOf), ""].join("\n");
  }

  #file(id: string): string {
    return join(this.#folder!, `${encodeURIComponent(id)}.json`);
  }

  #read(id: string): Remembered | undefined {
    if (this.#folder === null) return undefined;
    try {
      return JSON.parse(readFileSync(this.#file(id), "utf8")) as Remembered;
    } catch {
      // It was not kept, or a crash has cut it off: it is compiled again.
      return undefined;
    }
  }

  #write(id: string, remembered: Remembered): void {
    if (this.#folder === null) return;
    const file = this.#file(id);
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(`${file}.${process.pid}`, JSON.stringify(remembered));
      renameSync(`${file}.${process.pid}`, file);
    } catch {
      // A folder that cannot be written only costs time.
    }
  }
}

/** The fingerprints of the files that are not below the paths: which these are is known when the text is compiled. */
function printOfOthers({ paths }: Sources, files: readonly string[]): string {
  const others = files.filter(file => !paths.some(path => file === path || file.startsWith(`${path}/`)));
  return others.map(fingerprintOf).join("\n");
}

/** The context, which notes what is looked up in it. */
function noting(context: Context, lookups: Map<string, string>): Context {
  const find = lookupsIn(context);
  const note = (name: string) => lookups.set(name, find(name));
  class NotingTerms extends Map<string, readonly Term[]> {
    override get(name: string) {
      note(`term ${name}`);
      return super.get(name);
    }
  }
  class NotingAnchors extends Map<string, () => readonly string[]> {
    override has(id: string) {
      note(`address ${id}`);
      return super.has(id);
    }
    override get(id: string) {
      note(`anchors ${id}`);
      return super.get(id);
    }
  }
  return { ...context, anchors: new NotingAnchors(context.anchors), terms: new NotingTerms(context.terms) };
}

/** What a name of a lookup finds in this context. */
function lookupsIn({ anchors, terms }: Context): (name: string) => string {
  return name => {
    const kind = name.slice(0, name.indexOf(" "));
    const rest = name.slice(kind.length + 1);
    if (kind === "address") return String(anchors.has(rest));
    if (kind === "anchors") return anchors.get(rest)?.().join(" ") ?? "";
    return JSON.stringify(terms.get(rest) ?? null);
  };
}
