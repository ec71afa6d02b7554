// Page. One Markdown file while it is compiled: its text, its mistakes with their places, and the node that becomes an
// element of the finished tree.
import { dirname, relative, resolve } from "node:path";
import type { Element } from "hast";
import type { Nodes, Root } from "mdast";
import type { ContainerDirective, LeafDirective, TextDirective } from "mdast-util-directive";
import remarkDirective from "remark-directive";
import remarkFrontmatter from "remark-frontmatter";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import { unified } from "unified";
import type { Position } from "unist";
import { type BookProblem, type Lesson, place } from "../../../server-labs/book.ts";
import type { Terms } from "./terms.ts";

/** A node that becomes the element it names. */
export interface DirectiveNode {
  type: "directive";
  children: Nodes[];
  position?: Position;
  data: {
    hName: string;
    hProperties: Record<string, string | number | boolean>;
    hChildren?: Element["children"];
  };
}

declare module "mdast" {
  interface RootContentMap {
    directive: DirectiveNode;
  }
  interface PhrasingContentMap {
    directive: DirectiveNode;
  }
}

export type Directive = LeafDirective | TextDirective | ContainerDirective;

const parser = unified()
  .use(remarkParse)
  .use(remarkFrontmatter)
  .use(remarkGfm, { singleTilde: false })
  .use(remarkDirective);

/** CommonMark, GFM tables and task lists, directives, front matter. */
export function parseMarkdown(text: string): Root {
  return parser.parse(text);
}

export class Page {
  readonly problems: BookProblem[] = [];
  /** Hints for the author that are not mistakes. */
  readonly notes: BookProblem[] = [];
  /** Every file that this page was made from, or looked for in vain, absolute. */
  readonly files = new Set<string>();
  readonly text: string;
  /** Absolute path of the Markdown file. */
  readonly file: string;
  readonly lesson: Lesson | null;
  /** The address of the page that shows it, without the slash; null for a text without a page of its own. */
  readonly id: string | null;
  /** The folder that paths in messages begin at. */
  readonly root: string;
  /** What :term may name. */
  terms: Terms = new Map();
  readonly #names = new Set<string>();

  /** @param root the folder that paths in messages begin at: the one that holds chapters/ */
  constructor(file: string, text: string, root: string, lesson: Lesson | null, id = lesson?.id ?? null) {
    this.file = file;
    this.text = text;
    this.lesson = lesson;
    this.id = id;
    this.root = root;
    this.files.add(file);
  }

  /**
   * Notes a mistake.
   * @param needle a word in the node's first line to point at, rather than at its beginning
   */
  report(node: Pick<Nodes, "position">, sentence: string, needle?: string): void {
    const start = node.position?.start.offset ?? 0;
    const end = this.text.indexOf("\n", start);
    const firstLine = this.text.slice(start, end < 0 ? undefined : end);
    const found = needle ? firstLine.indexOf(needle) : 0;
    this.reportAt(start + Math.max(found, 0), sentence);
  }

  /** Notes a mistake at an offset of the text. */
  reportAt(offset: number, sentence: string): void {
    this.problems.push({ file: relative(this.root, this.file), ...place(this.text, offset), sentence });
  }

  /** Notes a hint that is not a mistake, about a node or the whole page. */
  note(sentence: string, node?: Pick<Nodes, "position">): void {
    const offset = node?.position?.start.offset ?? 0;
    this.notes.push({ file: relative(this.root, this.file), ...place(this.text, offset), sentence });
  }

  /** The Markdown that a node was written as. */
  source(node: Nodes): string {
    return this.text.slice(node.position!.start.offset, node.position!.end.offset);
  }

  /**
   * A file of the lesson's folder, or of the lesson whose lab its own passes, by the path that prose gives it; null if the
   * path leads elsewhere.
   */
  inFolder(path: string): string | null {
    const file = resolve(dirname(this.file), path);
    const folders = [dirname(this.file), this.lesson?.lab?.passes?.folder];
    return folders.some(folder => folder !== undefined && file.startsWith(`${folder}/`)) ? file : null;
  }

  /** Takes a name (of a quiz, a guess, a figure) for this page; false if it is taken. */
  takeName(name: string): boolean {
    return !this.#names.has(name) && Boolean(this.#names.add(name));
  }
}

export function directiveNode(
  node: Pick<Nodes, "position">,
  name: string,
  properties: DirectiveNode["data"]["hProperties"],
  children: Nodes[],
): DirectiveNode {
  return {
    type: "directive",
    children,
    position: node.position,
    data: { hName: name, hProperties: properties },
  };
}
