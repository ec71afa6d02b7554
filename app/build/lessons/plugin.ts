// Vite plugin. Serves virtual:book and virtual:lesson/<id>. A build with mistakes in chapters/ fails and lists all of them.
// In development the page shows them over its last good state, and a changed lesson arrives as data, without a reload.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorPayload, Plugin, ViteDevServer } from "vite";
import { type BookProblem, fingerprintOf, problemLines } from "../../../server-labs/book.ts";
import { BookCompiler, type Compilation } from "./book-compiler.ts";
import { TextMemory } from "./text-memory.ts";

const name = "workbook-lessons";

export interface LessonsOptions {
  /** Where compiled lessons are kept for the next start; they are not kept when left out. */
  keptIn?: string;
  /** A mistake in chapters/ is told, and the page is built with what can be read; by default the build fails. */
  tolerant?: boolean;
}

/** @param chaptersFolder absolute path of chapters/ */
export function lessons(chaptersFolder: string, { keptIn, tolerant = false }: LessonsOptions = {}): Plugin {
  const memory = keptIn === undefined ? undefined : new TextMemory(keptIn, compilerPrint());
  const compiler = new BookCompiler(chaptersFolder, memory);
  const root = dirname(chaptersFolder);
  let building = false;
  let problems: BookProblem[] = [];
  let notes: BookProblem[] = [];
  let compiling: Promise<Compilation> | null = null;

  const compile = async (): Promise<Compilation> => {
    compiling = compiler.compile();
    const compiled = await compiling;
    ({ problems, notes } = compiled);
    return compiled;
  };

  return {
    name,
    enforce: "pre",
    configResolved(config) {
      building = config.command === "build";
    },
    async buildStart() {
      await compile();
      if (building && notes.length > 0) this.warn(problemLines(notes));
      const mistakes = `${problemLines(problems)}\n${count(problems)}`;
      if (building && problems.length > 0) tolerant ? this.warn(mistakes) : this.error(mistakes);
    },
    configureServer(server) {
      watch(server, chaptersFolder, root, compile, () => problems);
      server.httpServer?.once("listening", () => {
        if (notes.length > 0) server.config.logger.warn(problemLines(notes));
      });
    },
    resolveId(id) {
      return id === "virtual:book" || id.startsWith("virtual:lesson/") ? `\0${id}` : null;
    },
    async load(id) {
      if (!id.startsWith("\0virtual:book") && !id.startsWith("\0virtual:lesson/")) return null;
      await compiling;
      if (id === "\0virtual:book") return bookModule(compiler);
      const name = id.slice("\0virtual:lesson/".length);
      const content = compiler.lessons.get(name) ?? compiler.texts.get(name);
      if (!content) return null;
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(content))});`;
    },
  };
}

/** Tells this version of the compiler, and of what it reads beside chapters/, from others. */
function compilerPrint(): string {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const parts = [
    "app/build",
    "app/lesson-content.ts",
    "app/workbench/panes.ts",
    "server-labs",
    "package-lock.json",
  ];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(fingerprintOf(join(root, part)));
  return hash.digest("hex");
}

function bookModule(compiler: BookCompiler): string {
  const ids = [...compiler.lessons.keys(), ...compiler.texts.keys()];
  const imports = ids.map(id => `${JSON.stringify(id)}: () => import("virtual:lesson/${id}")`);
  return `export const book = ${JSON.stringify(compiler.book)};\nexport const texts = { ${imports.join(", ")} };`;
}

function watch(
  server: ViteDevServer,
  folder: string,
  root: string,
  compile: () => Promise<Compilation>,
  problems: () => BookProblem[],
): void {
  const show = () => {
    if (problems().length > 0) server.ws.send({ type: "error", err: overlay(problems(), root) });
  };
  const compileAndSend = async () => {
    const compiled = await compile();
    for (const [module] of server.moduleGraph.idToModuleMap)
      if (module.startsWith("\0virtual:")) invalidate(server, module);
    // An empty update takes the overlay away; the client reloads the page only if its very first one does.
    server.ws.send({ type: "update", updates: [] });
    for (const content of compiled.texts) server.ws.send("workbook:text", content);
    if (compiled.book) server.ws.send("workbook:book", compiled.book);
    if (compiled.problems.length > 0)
      server.config.logger.error(problemLines(compiled.problems), { timestamp: true });
    show();
  };
  // One compiling at a time; what changes meanwhile is in the next.
  let again: Promise<void> | null = null;
  let now: Promise<void> = Promise.resolve();
  const onChange = (file: string) => {
    if (!file.startsWith(folder + sep) || again) return;
    again = now.then(() => {
      again = null;
      now = compileAndSend().catch(error => server.config.logger.error(String(error?.stack ?? error)));
      return now;
    });
  };
  server.watcher.add(folder);
  server.watcher.on("all", (_event, file) => onChange(file));
  server.ws.on("connection", show);
  server.httpServer?.once("listening", () => {
    if (problems().length > 0) server.config.logger.error(problemLines(problems()));
  });
}

function invalidate(server: ViteDevServer, id: string): void {
  const module = server.moduleGraph.getModuleById(id);
  if (module) server.moduleGraph.invalidateModule(module);
}

function count(problems: BookProblem[]): string {
  return problems.length === 1 ? "1 mistake in chapters/" : `${problems.length} mistakes in chapters/`;
}

function overlay(problems: BookProblem[], root: string): ErrorPayload["err"] {
  const { file, line, column } = problems[0]!;
  const path = join(root, file);
  const source = existsSync(path) && path.endsWith(".md") ? readFileSync(path, "utf8").split("\n") : [];
  const around = source.slice(Math.max(0, line - 3), line + 2).map((text, i) => {
    const number = Math.max(0, line - 3) + i + 1;
    return `${String(number).padEnd(4)} ${number === line ? ">" : "|"} ${text}`;
  });
  return {
    message: problemLines(problems),
    stack: "",
    plugin: name,
    id: path,
    loc: { file: path, line, column },
    frame: around.join("\n"),
  };
}
