// Glossary. The terms of a chapter, from the table of its glossary.md: the term, its Chinese, what it means, where to read more.
// `:term[accept queue]` in prose shows the entry, and leads to it.
import { readFileSync } from "node:fs";
import type { Nodes, Root, TableRow } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import type { Chapter } from "../../../server-labs/book.ts";
import { suggestion } from "../../../server-labs/protocol.ts";
import { type Directive, type DirectiveNode, directiveNode, type Page, parseMarkdown } from "./page.ts";
import type { Term, Terms } from "./terms.ts";

const columns = "Term, 中文, Meaning, Read more";

/** The terms of these chapters. A table that is not one of terms is a mistake of its own page. */
export function termsOf(chapters: readonly Chapter[]): Terms {
  const terms = new Map<string, Term[]>();
  for (const { id, glossary } of chapters) {
    if (!glossary) continue;
    for (const row of rowsOf(parseMarkdown(readFileSync(glossary.file, "utf8")))) {
      const term = termOf(row, id);
      terms.set(term.term.toLowerCase(), [...(terms.get(term.term.toLowerCase()) ?? []), term]);
    }
  }
  return terms;
}

/** The rows of its tables, without their heads. */
const rowsOf = (root: Root): TableRow[] =>
  root.children.flatMap(node => (node.type === "table" ? node.children.slice(1) : []));

function termOf(row: TableRow, chapter: string): Term {
  const [term = "", zh = "", meaning = ""] = row.children.map(cell => textOf(cell).trim());
  const anchor = term.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-");
  return { term, zh, meaning, chapter, anchor };
}

/** The text of a glossary with each table as a list of terms. */
export function glossaryRoot(page: Page, chapter: string): Root {
  const root = parseMarkdown(page.text);
  const seen = new Set<string>();
  const entry = (row: TableRow): DirectiveNode => {
    const { term, zh, anchor } = termOf(row, chapter);
    const [, , meaning, more] = row.children;
    if (row.children.length !== 4 || !term || !zh || !meaning || textOf(meaning) === "")
      page.report(row, `A row of a glossary has four cells: ${columns}. Only the last may be empty.`);
    if (seen.has(anchor)) page.report(row, `The term "${term}" is in this glossary already.`, term);
    seen.add(anchor);
    const words: Nodes[] = [...(meaning?.children ?? [])];
    if (more && textOf(more) !== "") words.push({ type: "text", value: " " }, ...more.children);
    return directiveNode(row, "lesson-term-entry", { term, zh, anchor }, words);
  };
  const list = (node: Nodes): Nodes =>
    node.type === "table" ? directiveNode(node, "lesson-terms", {}, node.children.slice(1).map(entry)) : node;
  if (!root.children.some(node => node.type === "table"))
    page.report({ position: undefined }, `A glossary is a table with the columns ${columns}.`);
  return { ...root, children: root.children.map(list) } as Root;
}

/** `:term[accept queue]`; a plural without its s, or `:term[sockets that listen]{of=listener}`. */
export function termNode(node: Directive, page: Page): DirectiveNode | null {
  const name = (node.attributes?.of || textOf(node)).toLowerCase();
  const found = page.terms.get(name) ?? page.terms.get(name.replace(/s$/, ""));
  if (!found) {
    const near = suggestion(name, [...page.terms.keys()], "terms");
    page.report(node, `No glossary has the term "${name}".${near}`, textOf(node));
    return null;
  }
  const own = page.lesson?.chapter.id;
  const { term, zh, meaning, chapter, anchor } = found.find(one => one.chapter === own) ?? found[0]!;
  const href = `/${chapter}/glossary#${anchor}`;
  return directiveNode(node, "lesson-term", { term, zh, meaning, href }, node.children);
}
