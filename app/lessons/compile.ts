// One lesson's folder to what the page shows of it, with every mistake and every file that went in.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Root as HastRoot, RootContent } from "hast";
import type { Problem } from "../../server-labs/book/problem.ts";
import { withoutMarks } from "../../server-labs/book/starter.ts";
import type { Book, Lesson } from "../../server-labs/book.ts";
import type { LessonContent } from "./content.ts";
import type { Highlight } from "./highlight.ts";
import { compileHints } from "./hints.ts";
import { least, most, stillShort, tooLong, wordsOf } from "./length.ts";
import { type Context, compileMarkdown, toTree } from "./markdown.ts";
import { Page, parseMarkdown } from "./page.ts";

export interface Compiled {
  content: LessonContent;
  problems: Problem[];
  /** What is worth knowing, and no mistake. */
  notes: Problem[];
  /** Every file it was made from, absolute. */
  files: string[];
}

/** Turns one lesson into what the page shows, and tells every mistake in it. Never throws for a mistake. */
export function compileLesson(lesson: Lesson, book: Book, highlight: Highlight): Compiled {
  const page = new Page(lesson.file, readFileSync(lesson.file, "utf8"), dirname(book.folder), lesson);
  const anchors = (id: string) => anchorsOf(book.lessons.find(l => l.id === id)!);
  const context: Context = { book, highlight, anchors };
  const tree = compileMarkdown(page, context);
  if (lesson.lab && page.takeName("::lab"))
    page.report({ position: undefined }, "This lesson has a lab, and no :::lab in its text that opens it.");
  const words = wordsOf(tree);
  if (words > most) page.report({ position: undefined }, tooLong(words));
  else if (words < least) page.note(stillShort(words));
  const hints = compileHints(lesson.lab, page, context);
  const files = (lesson.lab?.files ?? []).map(({ file, starter }) => {
    page.files.add(starter);
    return { file, starter: withoutMarks(readFileSync(starter, "utf8")) };
  });
  return {
    content: { id: lesson.id, tree, headings: headingsOf(tree), files, hints },
    problems: page.problems,
    notes: page.notes,
    files: [...page.files],
  };
}

/** The ids that links may name after #: made exactly as the page makes them. */
export function anchorsOf(lesson: Lesson): string[] {
  const root = parseMarkdown(readFileSync(lesson.file, "utf8"));
  const headings = root.children.filter(node => node.type === "heading");
  return headingsOf(toTree({ type: "root", children: headings })).map(h => h.id);
}

function headingsOf(tree: HastRoot): LessonContent["headings"] {
  return tree.children.flatMap(node => {
    if (node.type !== "element" || !/^h[23]$/.test(node.tagName)) return [];
    return { id: String(node.properties.id), text: hastText(node), depth: Number(node.tagName[1]) as 2 | 3 };
  });
}

function hastText(node: RootContent): string {
  if (node.type === "text") return node.value;
  return "children" in node ? node.children.map(hastText).join("") : "";
}
