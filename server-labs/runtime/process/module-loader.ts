// Module loader. Runs the student's modules under their own addresses, from the texts that the run started with.
// Node 20 has loader hooks in a thread of their own only: 20 ms, and a message for each import. vm modules need neither.
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Module, SourceTextModule, SyntheticModule } from "node:vm";
import { candidates, isRelative, kindOf } from "../../modules/resolve.ts";

type Attributes = { type?: string };

/** Where a text cannot be loaded, for a report that shows the line as Node does. */
export interface FaultyText {
  url: string;
  javascript: string;
  /** From 1; null where only a parser can say it. */
  line: number | null;
}

export class ModuleLoader {
  /** Absolute path → the text that the run started with; another file is read when it is imported. */
  readonly #texts: Map<string, string>;
  readonly #modules = new Map<string, Promise<Module>>();
  /** URL of each module → its JavaScript. */
  readonly #javascript = new Map<string, string>();
  readonly #faults = new WeakMap<object, FaultyText>();
  /** One link at a time: two would meet in a module that is half linked. */
  #linking: Promise<unknown> = Promise.resolve();

  constructor(texts: Map<string, string>) {
    this.#texts = texts;
  }

  /** Imports a file, as `node FILE` does. Rejects with its error. */
  async run(path: string): Promise<void> {
    await this.#evaluated(await this.#ofFile(pathToFileURL(path), path, {}));
  }

  /** The JavaScript of a module that was loaded. */
  javascriptOf(url: string): string | undefined {
    return this.#javascript.get(url);
  }

  /** The text because of which loading failed with this error. */
  faultOf(error: object): FaultyText | undefined {
    return this.#faults.get(error);
  }

  async #evaluated(module: Module): Promise<Module> {
    const link = this.#linking.then(() => this.#link(module));
    this.#linking = link.catch(() => {});
    await link;
    await module.evaluate();
    return module;
  }

  async #link(module: Module): Promise<void> {
    if (module.status !== "unlinked") return;
    try {
      await module.link((specifier, importer, extra) =>
        this.#find(specifier, importer.identifier, extra.attributes as Attributes),
      );
    } catch (error) {
      this.#explain(error as Error);
      throw error;
    }
  }

  #find(specifier: string, importer: string, attributes: Attributes = {}): Promise<Module> {
    if (!isRelative(specifier)) return this.#native(addressOf(specifier, importer));
    const url = new URL(specifier, importer);
    const paths = candidates(specifier, fileURLToPath(importer));
    const path = paths.find(path => this.#texts.has(path)) ?? paths.find(isFile);
    if (path === undefined) return Promise.reject(missing(paths[0]!, fileURLToPath(importer)));
    const found = pathToFileURL(path);
    [found.search, found.hash] = [url.search, url.hash];
    return this.#ofFile(found, path, attributes);
  }

  #ofFile(url: URL, path: string, attributes: Attributes): Promise<Module> {
    const kind = attributes.type === "json" ? "json" : kindOf(path);
    if (kind === "native") return this.#native(url.href);
    const known = this.#modules.get(url.href);
    if (known) return known;
    const made =
      kind === "json"
        ? Promise.resolve(this.#json(url.href, path))
        : this.#javascriptAt(path, kind).then(javascript => this.#compile(url.href, path, javascript));
    this.#modules.set(url.href, made);
    return made;
  }

  #json(identifier: string, path: string): Module {
    const text = this.#texts.get(path) ?? readFileSync(path, "utf8");
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    return new SyntheticModule(
      ["default"],
      function (this: SyntheticModule) {
        this.setExport("default", value);
      },
      { identifier },
    );
  }

  async #javascriptAt(path: string, kind: "typescript" | "javascript"): Promise<string> {
    const text = this.#texts.get(path) ?? readFileSync(path, "utf8");
    if (kind === "javascript" || this.#texts.has(path)) return text;
    // Only a name that the program makes itself leads here: the compiler takes half a second.
    const { explainedStrip } = await import("../../modules/explained-strip.ts");
    return explainedStrip(path, text);
  }

  #compile(url: string, path: string, javascript: string): Module {
    this.#javascript.set(url, javascript);
    try {
      return new SourceTextModule(javascript, {
        identifier: url,
        initializeImportMeta: meta => {
          const resolve = (specifier: string) => addressOf(specifier, url);
          Object.assign(meta, { dirname: dirname(path), filename: path, resolve, url });
        },
        importModuleDynamically: (async (specifier: string, _from: unknown, attributes: Attributes) =>
          this.#evaluated(await this.#find(specifier, url, attributes))) as never,
      });
    } catch (error) {
      this.#faults.set(error as Error, { url, javascript, line: null });
      throw error;
    }
  }

  /** What Node itself imports: its own parts, packages, CommonJS. */
  #native(address: string): Promise<Module> {
    const known = this.#modules.get(address);
    if (known) return known;
    const made = import(address).then((namespace: Record<string, unknown>) => {
      const names = Object.keys(namespace);
      return new SyntheticModule(
        names,
        function (this: SyntheticModule) {
          for (const name of names) this.setExport(name, namespace[name]);
        },
        { identifier: address },
      );
    });
    this.#modules.set(address, made);
    return made;
  }

  /** V8 does not say which line imports a name that is not there. */
  #explain(error: Error): void {
    const [, specifier, name] =
      /module '(.+)' does not provide an export named '(.+)'/.exec(error.message) ?? [];
    if (specifier === undefined || name === undefined) return;
    for (const [url, javascript] of this.#javascript)
      for (const statement of javascript.matchAll(/\b(?:import|export)\b[^;"']*?\bfrom\s*(["'])(.*?)\1/g)) {
        const at = statement[2] === specifier ? placeOf(name, statement[0]) : -1;
        if (at < 0) continue;
        const line = javascript.slice(0, statement.index + at).split("\n").length;
        this.#faults.set(error, { url, javascript, line });
        return;
      }
  }
}

/** Where a statement imports this name; the default export is imported by another one. */
function placeOf(name: string, statement: string): number {
  if (name === "default" && !/\bdefault\b/.test(statement)) return 0;
  return statement.search(new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`));
}

/** The address behind a specifier; "workbook/…" is this package, wherever the importer lies. */
function addressOf(specifier: string, importer: string): string {
  const ours = /^workbook(\/|$)/.test(specifier);
  // With a second argument only under --experimental-import-meta-resolve (lib/node-flags.ts).
  const resolve = import.meta.resolve as (specifier: string, importer?: string) => string;
  return ours ? resolve(specifier) : resolve(specifier, importer);
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function missing(path: string, importer: string): Error {
  const error = new Error(`Cannot find module '${path}' imported from ${importer}`);
  return Object.assign(error, { code: "ERR_MODULE_NOT_FOUND" });
}
