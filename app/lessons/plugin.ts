// The Vite plugin: virtual:book and virtual:lesson/<id>. A build with a mistake in chapters/ fails and tells
// all of them. In development the page shows them over its last good state, and a changed lesson arrives as
// data, so that nothing is reloaded.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { ErrorPayload, Plugin, ViteDevServer } from "vite";
import type { Problem } from "../../server-labs/book/problem.ts";
import { Press, type Printed } from "./press.ts";

const name = "workbook-lessons";

/** @param chaptersFolder absolute path of chapters/ */
export function lessons(chaptersFolder: string): Plugin {
  const press = new Press(chaptersFolder);
  const root = dirname(chaptersFolder);
  let building = false;
  let problems: Problem[] = [];
  let notes: Problem[] = [];
  let printing: Promise<Printed> | null = null;

  const print = async (): Promise<Printed> => {
    printing = press.print();
    const printed = await printing;
    ({ problems, notes } = printed);
    return printed;
  };

  return {
    name,
    enforce: "pre",
    configResolved(config) {
      building = config.command === "build";
    },
    async buildStart() {
      await print();
      if (building && notes.length > 0) this.warn(tell(notes));
      if (building && problems.length > 0) this.error(`${tell(problems)}\n${count(problems)}`);
    },
    configureServer(server) {
      watch(server, chaptersFolder, root, print, () => problems);
      server.httpServer?.once("listening", () => {
        if (notes.length > 0) server.config.logger.warn(tell(notes));
      });
    },
    resolveId(id) {
      return id === "virtual:book" || id.startsWith("virtual:lesson/") ? `\0${id}` : null;
    },
    async load(id) {
      if (!id.startsWith("\0virtual:book") && !id.startsWith("\0virtual:lesson/")) return null;
      await printing;
      if (id === "\0virtual:book") return bookModule(press);
      const content = press.lessons.get(id.slice("\0virtual:lesson/".length));
      if (!content) return null;
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(content))});`;
    },
  };
}

function bookModule(press: Press): string {
  const ids = [...press.lessons.keys()];
  const imports = ids.map(id => `${JSON.stringify(id)}: () => import("virtual:lesson/${id}")`);
  return `export const book = ${JSON.stringify(press.book)};\nexport const lessons = { ${imports.join(", ")} };`;
}

function watch(
  server: ViteDevServer,
  folder: string,
  root: string,
  print: () => Promise<Printed>,
  problems: () => Problem[],
): void {
  const show = () => {
    if (problems().length > 0) server.ws.send({ type: "error", err: overlay(problems(), root) });
  };
  const printAndSend = async () => {
    const printed = await print();
    for (const [module] of server.moduleGraph.idToModuleMap)
      if (module.startsWith("\0virtual:")) invalidate(server, module);
    // An empty update takes the overlay away; the client reloads the page only if its very first one does.
    server.ws.send({ type: "update", updates: [] });
    for (const content of printed.lessons) server.ws.send("workbook:lesson", content);
    if (printed.book) server.ws.send("workbook:book", printed.book);
    if (printed.problems.length > 0) server.config.logger.error(tell(printed.problems), { timestamp: true });
    show();
  };
  // One printing at a time; what changes meanwhile is in the next.
  let again: Promise<void> | null = null;
  let now: Promise<void> = Promise.resolve();
  const onChange = (file: string) => {
    if (!file.startsWith(folder + sep) || again) return;
    again = now.then(() => {
      again = null;
      now = printAndSend().catch(error => server.config.logger.error(String(error?.stack ?? error)));
      return now;
    });
  };
  server.watcher.add(folder);
  server.watcher.on("all", (_event, file) => onChange(file));
  server.ws.on("connection", show);
  server.httpServer?.once("listening", () => {
    if (problems().length > 0) server.config.logger.error(tell(problems()));
  });
}

function invalidate(server: ViteDevServer, id: string): void {
  const module = server.moduleGraph.getModuleById(id);
  if (module) server.moduleGraph.invalidateModule(module);
}

function tell(problems: Problem[]): string {
  return problems.map(p => `${p.file}:${p.line}:${p.column}: ${p.sentence}`).join("\n");
}

function count(problems: Problem[]): string {
  return problems.length === 1 ? "1 mistake in chapters/" : `${problems.length} mistakes in chapters/`;
}

function overlay(problems: Problem[], root: string): ErrorPayload["err"] {
  const { file, line, column } = problems[0]!;
  const path = join(root, file);
  const source = existsSync(path) && path.endsWith(".md") ? readFileSync(path, "utf8").split("\n") : [];
  const around = source.slice(Math.max(0, line - 3), line + 2).map((text, i) => {
    const number = Math.max(0, line - 3) + i + 1;
    return `${String(number).padEnd(4)} ${number === line ? ">" : "|"} ${text}`;
  });
  return {
    message: tell(problems),
    stack: "",
    plugin: name,
    id: path,
    loc: { file: path, line, column },
    frame: around.join("\n"),
  };
}
