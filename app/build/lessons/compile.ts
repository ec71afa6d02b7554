// Lesson compiler. Turns one lesson's folder into what the page shows, with every mistake and every file that it read.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Element, Root as HastRoot, RootContent } from "hast";
import {
  type Book,
  fingerprintOf,
  type Lesson,
  withoutMarks,
  wordingProblems,
} from "../../../server-labs/book.ts";
import { type LessonContent, referenceId } from "../../lesson-content.ts";
import { termsOf } from "./glossary.ts";
import type { Highlight } from "./highlight.ts";
import { compileHints } from "./hints.ts";
import { least, most, proseWords, stillShort, tooLong } from "./length.ts";
import { type Context, compileMarkdown, toTree } from "./markdown.ts";
import { netDocs } from "./net-docs.ts";
import { Page, parseMarkdown } from "./page.ts";
import type { CompiledText } from "./text-memory.ts";
import { compileWalkthrough } from "./walkthrough.ts";
import { untoldTests } from "./we-test.ts";

export interface Compiled extends CompiledText {
  content: LessonContent;
}

/** What the texts of this book may link to. */
export function contextOf(book: Book, highlight: Highlight): Context {
  const lessons = book.lessons.map(({ id, file }) => [id, () => anchorsOf(file)] as const);
  const terms = termsOf(book.chapters);
  const all = [...terms.values()].flat();
  const anchorsOfTerms = (id: string) => all.filter(term => term.chapter === id).map(term => term.anchor);
  const chapters = book.chapters.flatMap(({ id, file, closing, glossary }) => [
    [id, () => anchorsOf(file)] as const,
    ...(closing ? [[`${id}/closing`, () => anchorsOf(closing.file)] as const] : []),
    ...(glossary
      ? [[`${id}/glossary`, () => [...anchorsOfTerms(id), ...anchorsOf(glossary.file)]] as const]
      : []),
  ]);
  const reference = [referenceId, () => netDocs().map(({ anchor }) => anchor)] as const;
  const anchors = new Map<string, () => readonly string[]>([...lessons, ...chapters, reference]);
  return { book, highlight, anchors, terms };
}

/** Compiles one lesson. A mistake is a problem in the result, not an error. */
export function compileLesson(lesson: Lesson, context: Context): Compiled {
  const page = new Page(lesson.file, readFileSync(lesson.file, "utf8"), dirname(context.book.folder), lesson);
  const tree = compileMarkdown(page, context);
  if (lesson.lab && page.takeName("::lab"))
    page.report({ position: undefined }, "This lesson has a lab, but its text has no :::lab that opens it.");
  putWalkthrough(tree, page, context);
  const untold = untoldTests(lesson.lab, page);
  if (untold) page.note(untold);
  const words = proseWords(tree);
  if (words > most) page.report({ position: undefined }, tooLong(words));
  else if (words < least) page.note(stillShort(words));
  const hints = compileHints(lesson.lab, page, context);
  const files = (lesson.lab?.files ?? []).map(({ file, starter }) => {
    page.files.add(starter);
    return { file, starter: withoutMarks(readFileSync(starter, "utf8")) };
  });
  page.problems.push(...wordingProblems(lesson, context.book.folder));
  return {
    content: { id: lesson.id, tree, headings: headingsOf(tree), files, hints },
    problems: page.problems,
    notes: page.notes,
    files: [...page.files],
  };
}

/** Puts the steps of the lab's walk-through where the lesson asks for them. */
function putWalkthrough(tree: HastRoot, page: Page, context: Context): void {
  const steps = compileWalkthrough(page, context);
  const asked = tree.children.find(node => node.type === "element" && node.tagName === "lesson-walkthrough");
  if (asked && steps) (asked as Element).children = steps;
  else if (asked)
    page.report({ position: undefined }, "There is no lab/walkthrough.md for ::walkthrough to show.");
  else if (steps)
    page.report(
      { position: undefined },
      "This lesson has a lab/walkthrough.md, but its text has no ::walkthrough.",
    );
}

/** The anchors of each text, and the fingerprint of the file that they were read from. */
const known = new Map<string, { print: string; anchors: string[] }>();

/** The ids that links may name after #: made exactly as the page makes them. */
function anchorsOf(file: string): string[] {
  const print = fingerprintOf(file);
  const before = known.get(file);
  if (before?.print === print) return before.anchors;
  const anchors = readAnchors(file);
  known.set(file, { print, anchors });
  return anchors;
}

function readAnchors(file: string): string[] {
  const root = parseMarkdown(readFileSync(file, "utf8"));
  const headings = root.children.filter(node => node.type === "heading");
  return headingsOf(toTree({ type: "root", children: headings })).map(h => h.id);
}

/** The headings of a text, with the ids that they have in the page. */
export function headingsOf(tree: HastRoot): LessonContent["headings"] {
  return tree.children.flatMap(node => {
    if (node.type !== "element" || !/^h[23]$/.test(node.tagName)) return [];
    return { id: String(node.properties.id), text: hastText(node), depth: Number(node.tagName[1]) as 2 | 3 };
  });
}

function hastText(node: RootContent): string {
  if (node.type === "text") return node.value;
  return "children" in node ? node.children.map(hastText).join("") : "";
}
