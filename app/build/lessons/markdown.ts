// Markdown. Walks the Markdown of a page once: plain nodes stay, directives become nodes of their own, fences become
// highlighted code, and what the book does not know is reported at its place.
import type { Element, Root as HastRoot, RootContent } from "hast";
import type { Nodes, Paragraph, Root } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import rehypeSlug from "rehype-slug";
import remarkRehype from "remark-rehype";
import { unified } from "unified";
import type { Book } from "../../../server-labs/book.ts";
import { codeBlock, mustHaveLimit, withPort } from "./code.ts";
import { makeNode } from "./directives.ts";
import type { Highlight } from "./highlight.ts";
import { checkLink } from "./links.ts";
import { type DirectiveNode, directiveNode, type Page, parseMarkdown } from "./page.ts";
import type { Terms } from "./terms.ts";

/** What compiling any page needs to know. */
export interface Context {
  book: Book;
  highlight: Highlight;
  /** For each address in the book, without its slash: what may follow # there. */
  anchors: ReadonlyMap<string, () => readonly string[]>;
  /** The terms of all glossaries. */
  terms: Terms;
}

/**
 * Markdown as a tree.
 * @param root the part of the page that is meant; all of it when left out
 */
export function compileMarkdown(page: Page, context: Context, root = parseMarkdown(page.text)): HastRoot {
  const { highlight, anchors } = context;
  page.terms = context.terms;
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
        page.report(node, "A picture must be in a :::figure.");
        return null;
      case "footnoteReference":
      case "footnoteDefinition":
        page.report(node, "There are no footnotes here: what would be one is an :::aside.");
        return null;
      case "code":
        return codeBlock(node, page, highlight);
      case "inlineCode":
        mustHaveLimit(node, node.value, page);
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
      case "paragraph":
        strayColons(node, page);
        break;
      case "link":
        checkLink(node, page, anchors);
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
      const made = makeNode(node, page);
      return made && inside(made, all);
    }
    return "children" in node ? ({ ...node, children: all(node.children) } as Nodes) : node;
  };

  const body: Root = { type: "root", children: all(root.children) as Root["children"] };
  return bare(toTree(body)) as HastRoot;
}

/** Colons of a block that the parser left in a paragraph: a block that holds a block needs one colon more. */
function strayColons(node: Paragraph, page: Page): void {
  if (!node.position) return;
  const found = /(?:^|\s)(:{3,})(?=\s|$| *[a-z])/m.exec(page.source(node));
  if (!found) return;
  const at = node.position.start.offset! + found.index + found[0].indexOf(":");
  page.reportAt(
    at,
    `"${found[1]}" begins or ends no block here. A block begins with :::name without a space, and a block that holds another has one colon more.`,
  );
}

const rehype = unified().use(remarkRehype).use(rehypeSlug);

/** HTML of it, headings with their ids. */
export function toTree(root: Root): HastRoot {
  return rehype.runSync(root) as HastRoot;
}

/** Compiles the children of a directive; shell fences of a :::try become commands. */
function inside(made: DirectiveNode, all: (nodes: Nodes[]) => Nodes[]): DirectiveNode {
  const children = made.children.flatMap(child =>
    child.type === "directive" ? inside(child, all) : all([child]),
  );
  if (made.data.hName !== "lesson-try") return { ...made, children };
  return { ...made, children: children.map(command) };
}

function command(node: Nodes): Nodes {
  if (
    node.type !== "directive" ||
    node.data.hName !== "lesson-code" ||
    node.data.hProperties.lang !== "shell"
  )
    return node;
  const copy = directiveNode(node, "lesson-command", { command: node.data.hProperties.text! }, []);
  copy.data.hChildren = node.data.hChildren!;
  return copy;
}

// Between their children the line breaks are only layout of the source. Elsewhere one may part two words.
const layoutOnly = ["root", "ul", "ol", "blockquote", "table", "thead", "tbody", "tr"];

/** Without positions and the line breaks between blocks: the page does not read them. */
function bare(node: HastRoot | RootContent): HastRoot | RootContent {
  const { position: _position, data: _data, ...rest } = node as Element;
  if (!("children" in node) || (node.type === "element" && node.tagName === "pre")) return rest as Element;
  const layout = layoutOnly.includes(node.type === "element" ? node.tagName : node.type);
  const children = node.children.filter(child => !(layout && child.type === "text" && child.value === "\n"));
  return { ...rest, children: children.map(child => bare(child as RootContent)) } as Element;
}
