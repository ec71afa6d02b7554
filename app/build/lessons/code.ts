// Code. Turns a fence into a block of highlighted code. After its backticks come the language and then only
// include="lab/starter.ts#accept" title="…" mark="2,5-7".
import { existsSync, readFileSync } from "node:fs";
import type { Code, Nodes } from "mdast";
import { commandWithoutLimit, limitAdvice, withoutMarks } from "../../../server-labs/book.ts";
import { suggestion } from "../../../server-labs/protocol.ts";
import { type Highlight, languages } from "./highlight.ts";
import { region } from "./include.ts";
import { type DirectiveNode, directiveNode, type Page } from "./page.ts";

const attributes = ["include", "title", "mark"];

export function codeBlock(node: Code, page: Page, highlight: Highlight): DirectiveNode {
  const lang = node.lang ?? "text";
  if (!Object.hasOwn(languages, lang)) {
    const known = Object.keys(languages);
    page.report(
      node,
      `"${lang}" is not a language of this book.${suggestion(lang, known, "languages")}`,
      lang,
    );
  }
  const meta = readMeta(node, page);
  const included = meta.include ? include(node, meta.include, page) : null;
  const text = withPort(included ?? node.value, lang, page);
  if (lang === "shell") mustHaveLimit(node, text, page);
  const marked = linesOf(node, meta.mark, text.split("\n").length, page);
  const [file] = (meta.include ?? "").split("#");
  const properties: DirectiveNode["data"]["hProperties"] = { lang, text };
  if (meta.title) properties.title = meta.title;
  if (file) properties.file = file;
  const block = directiveNode(node, "lesson-code", properties, []);
  block.data.hChildren = [highlight(text, lang, marked)];
  return block;
}

/** Reports a command that would wait for ever where the student's server does not answer. */
export function mustHaveLimit(node: Nodes, text: string, page: Page): void {
  const command = commandWithoutLimit(text);
  if (command) page.report(node, `"${command}" may wait for ever: ${limitAdvice}.`, command.split(" ")[0]);
}

/** In what one types and sees, {port} is the lab's port. In a program it stays what it is. */
export function withPort(text: string, lang: string, page: Page): string {
  const port = page.lesson?.lab?.port;
  return port && ["shell", "text", "http"].includes(lang) ? text.replaceAll("{port}", String(port)) : text;
}

function readMeta(node: Code, page: Page): Record<string, string> {
  const found: Record<string, string> = {};
  const rest = (node.meta ?? "").replace(/([\w-]+)="([^"]*)"/g, (_, name: string, value: string) => {
    if (!attributes.includes(name)) {
      const sentence = `"${name}" is not an attribute of a fence.${suggestion(name, attributes, "attributes of a fence")}`;
      page.report(node, sentence, name);
    }
    found[name] = value;
    return "";
  });
  if (rest.trim())
    page.report(node, `"${rest.trim()}" is not of the form name="value" (${attributes.join(", ")}).`);
  return found;
}

/** The text of `path#region`; null after reporting why there is none. */
function include(node: Code, target: string, page: Page): string | null {
  const [path = "", name] = target.split("#");
  const file = page.inFolder(path);
  // Also one that is missing: when it comes, the mistake is gone.
  if (file) page.files.add(file);
  if (!file || !existsSync(file)) {
    page.report(node, `There is no file ${path} in this lesson's folder.`, path);
    return null;
  }
  const text = readFileSync(file, "utf8");
  const found = name === undefined ? { code: withoutMarks(text).trimEnd() } : region(text, name, path);
  if ("mistake" in found) {
    page.report(node, found.mistake, target);
    return null;
  }
  // A copy in the fence is for those who read the Markdown; it may not say anything else than the file.
  if (node.value.trim() && node.value.trimEnd() !== found.code) {
    const [ours, theirs] = [node.value.split("\n"), found.code.split("\n")];
    const line = theirs.findIndex((text, i) => text !== ours[i]) + 1 || theirs.length + 1;
    const sentence = `Line ${line} of this copy is not what ${target} says. Copy it again, or leave the fence empty.`;
    page.report(node, sentence, target);
  }
  return found.code;
}

/** "2,5-7" to {2, 5, 6, 7}. */
function linesOf(node: Code, mark: string | undefined, count: number, page: Page): Set<number> {
  const lines = new Set<number>();
  for (const part of mark?.split(",") ?? []) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (!match || from < 1 || to > count || to < from)
      page.report(node, `mark="${mark}" must be lines of this block, 1 to ${count}: "2,5-7".`, "mark");
    else for (let line = from; line <= to; line++) lines.add(line);
  }
  return lines;
}
