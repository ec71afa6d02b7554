// Editor types. The declaration files that the editor knows: those of workbook/* as the compiler wrote them, and Node's, with as
// many of their words as a hover can show. Small, because every student's page fetches them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { referenceId } from "../../lesson-content.ts";
import { netDocs } from "../lessons/net-docs.ts";

/** Everything that the package's exports offer to labs, as the compiler wrote it, under node_modules/workbook. */
export function workbookTypes(
  root: string,
  rollup: { error(message: string): never; addWatchFile(file: string): void },
) {
  const exported = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).exports as Record<
    string,
    string | { types?: string }
  >;
  const files: Record<string, string> = {};
  const home = "file:///node_modules/workbook/";
  const add = (file: string) => {
    const path = home + relative(root, file).split(sep).join("/");
    if (path in files) return;
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      rollup.error(`The editor needs ${relative(root, file)}, which is not there. Run: npm run build:server`);
    }
    rollup.addWatchFile(file);
    files[path] = withReferences(text.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
    for (const [, next] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      add(resolve(dirname(file), next!).replace(/(\.d)?\.[jt]s$/, ".d.ts"));
    }
  };
  for (const [name, target] of Object.entries(exported)) {
    // Checks are written in an editor of one's own; the page edits servers.
    if (typeof target === "string" || !target.types || name === "./check") continue;
    add(join(root, target.types));
    files[`${home}${name.slice(2)}.d.ts`] =
      `export * from "./${target.types.slice(2).replace(/\.d\.ts$/, ".js")}";\n`;
  }
  return files;
}

/**
 * Declarations whose doc comments end in a link to the name's place in the reference, which a hover shows. The address is
 * one of this site; the editor puts the site before it.
 */
export function withReferences(declarations: string): string {
  const anchors = new Map(netDocs().map(({ name, anchor }) => [name, anchor]));
  let owner = "";
  return declarations.replaceAll(
    /^export (?:declare )?(?:class|interface) (\w+)|\/\*\*([\s\S]*?)\*\/(?=\n(?:export declare (?:class|function|const) |export interface | {4}(?:readonly )?)(\w+))/gm,
    (all, begins: string | undefined, comment: string | undefined, name: string) => {
      if (comment === undefined) {
        owner = begins!;
        return all;
      }
      const member = name === "constructor" ? `new ${owner}` : `${owner}.${name}`;
      const anchor = anchors.get(name) ?? anchors.get(member);
      if (!anchor) return all;
      const link = `\n *\n * [In the reference](/${referenceId}#${anchor})\n`;
      const tags = comment.search(/^\s*\* @/m);
      if (tags < 0) return `/**${comment.trimEnd()}${link} */`;
      return `/**${comment.slice(0, tags).trimEnd()}${link}${comment.slice(tags)}*/`;
    },
  );
}

/** Modules of Node that no lab has a use for, and that are a third of all its types. */
const left = /^(inspector.*|http2|wasi|repl|sea|test|trace_events|punycode|domain)\.d\.ts$/;
/** Modules whose doc comments a reader meets; the others are typed without words. */
const explained =
  /^(fs|path|process|buffer|buffer\.buffer|timers|console|globals|events|assert|string_decoder)\.d\.ts$/;

/** The types of Node that a lab may use, under node_modules/@types/node. */
export function nodeTypes(root: string) {
  const folder = dirname(createRequire(join(root, "package.json")).resolve("@types/node/package.json"));
  const files: Record<string, string> = {};
  const index = readFileSync(join(folder, "index.d.ts"), "utf8");
  for (const [, file] of index.matchAll(/<reference path="([^"]+)"/g)) {
    if (left.test(file!)) continue;
    const text = readFileSync(join(folder, file!), "utf8");
    files[`file:///node_modules/@types/node/${file}`] = explained.test(file!)
      ? firstWords(text)
      : withoutWords(text);
  }
  return files;
}

const comments = /\/\*[\s\S]*?\*\/\n?/g;
const withoutWords = (text: string) => text.replace(comments, "");

/** Keeps the first paragraph of each doc comment: what a hover can show without becoming a page. */
function firstWords(text: string) {
  return text.replace(comments, comment => {
    const words = comment
      .replace(/^\/\*\*?|\*\/\s*$/g, "")
      .replace(/^\s*\* ?/gm, "")
      .trim()
      .split(/\n\s*\n|\n```|\n@/)[0]!;
    return words && !words.startsWith("@") ? `/** ${words.replaceAll("*/", "")} */\n` : "";
  });
}
