// Markdown is walked once: plain nodes stay, directives become words, fences become highlighted code, and
// whatever the book does not know is reported where it stands.
import type { Element, Root as HastRoot, RootContent } from "hast";
import type { Nodes, Root } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import rehypeSlug from "rehype-slug";
import remarkRehype from "remark-rehype";
import { unified } from "unified";
import type { Book } from "../../server-labs/book.ts";
import { codeBlock, withPort } from "./code.ts";
import type { Highlight } from "./highlight.ts";
import { checkLink } from "./links.ts";
import { type Page, parseMarkdown, type Word, word } from "./page.ts";
import { makeWord } from "./words.ts";

/** What compiling any page needs to know. `anchors` gives the ids of the headings of a lesson. */
export interface Context {
  book: Book;
  highlight: Highlight;
  anchors(lesson: string): string[];
}

/**
 * Markdown as a tree.
 * @param root the part of the page that is meant; all of it when left out
 */
export function compileMarkdown(page: Page, context: Context, root = parseMarkdown(page.text)): HastRoot {
  const { book, highlight, anchors } = context;
  const seen = new Map<string, Nodes>();

  const all = (nodes: Nodes[]): Nodes[] => nodes.flatMap(node => one(node) ?? []);
  const one = (node: Nodes): Nodes | null => {
    switch (node.type) {
      case "yaml":
        return null;
      case "html":
        if (!/^<!--[\s\S]*-->$/.test(node.value.trim()))
          page.report(node, "HTML is no part of a lesson: use a directive, or put it into `code`.");
        return null;
      case "image":
        page.report(node, "A picture stands in a :::figure.");
        return null;
      case "footnoteReference":
      case "footnoteDefinition":
        page.report(node, "There are no footnotes here: what would be one is an :::aside.");
        return null;
      case "code":
        return codeBlock(node, page, highlight);
      case "inlineCode":
        return { ...node, value: withPort(node.value, "shell", page) };
      case "heading": {
        if (node.depth === 1)
          page.report(node, "The title is in the fields above; headings of the text begin with ##.");
        if (node.depth > 3) page.report(node, "Headings are ## or ###; a text needs no more levels.");
        const twin = seen.get(textOf(node));
        if (twin)
          page.report(node, `Line ${twin.position!.start.line} has the same heading; links need another.`);
        seen.set(textOf(node), node);
        break;
      }
      case "link":
        checkLink(node, page, book, anchors);
        break;
      case "textDirective":
        // "at 10:am" is no directive: ours all have their [text].
        if (node.children.length === 0 && Object.keys(node.attributes ?? {}).length === 0)
          return { type: "text", value: page.source(node) };
    }
    if (
      node.type === "containerDirective" ||
      node.type === "leafDirective" ||
      node.type === "textDirective"
    ) {
      const made = makeWord(node, page);
      return made && inside(made, all);
    }
    return "children" in node ? ({ ...node, children: all(node.children) } as Nodes) : node;
  };

  const body: Root = { type: "root", children: all(root.children) as Root["children"] };
  return bare(toTree(body)) as HastRoot;
}

const rehype = unified().use(remarkRehype).use(rehypeSlug);

/** HTML of it, headings with their ids. */
export function toTree(root: Root): HastRoot {
  return rehype.runSync(root) as HastRoot;
}

/** Compiles the children of a word; shell fences of a :::try become commands. */
function inside(made: Word, all: (nodes: Nodes[]) => Nodes[]): Word {
  const children = made.children.flatMap(child =>
    child.type === "word" ? inside(child, all) : all([child]),
  );
  if (made.data.hName !== "lesson-try") return { ...made, children };
  return { ...made, children: children.map(command) };
}

function command(node: Nodes): Nodes {
  if (node.type !== "word" || node.data.hName !== "lesson-code" || node.data.hProperties.lang !== "shell")
    return node;
  const copy = word(node, "lesson-command", { command: node.data.hProperties.text! }, []);
  copy.data.hChildren = node.data.hChildren!;
  return copy;
}

// Between their children the line breaks are only layout of the source. Elsewhere one may part two words.
const layoutOnly = ["root", "ul", "ol", "blockquote", "table", "thead", "tbody", "tr"];

/** Without positions and the line breaks between blocks: nobody downstream reads them. */
function bare(node: HastRoot | RootContent): HastRoot | RootContent {
  const { position: _position, data: _data, ...rest } = node as Element;
  if (!("children" in node) || (node.type === "element" && node.tagName === "pre")) return rest as Element;
  const layout = layoutOnly.includes(node.type === "element" ? node.tagName : node.type);
  const children = node.children.filter(child => !(layout && child.type === "text" && child.value === "\n"));
  return { ...rest, children: children.map(child => bare(child as RootContent)) } as Element;
}
