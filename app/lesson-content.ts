// Lesson data. What the compiler hands to the page: a hast tree of HTML elements and of the elements listed below, each of
// which has a component in the reader. It is data only: nothing in it can run.
import type { Root } from "hast";
import type { PaneName } from "./workbench/panes.ts";

/** The lab of a lesson, as far as the page knows it without the lab server. */
export interface LabMeta {
  title: string;
  summary: string;
  port: number;
  /** It is an HTTP server; else it reads lines. */
  http: boolean;
  /** `group`: the heading below which the lab declares it. */
  checks: { id: string; title: string; group?: string }[];
}

export interface LessonMeta {
  /** "non-blocking/polling-model"; its address is "/" + id. */
  id: string;
  title: string;
  summary: string;
  /** Section of the course that it comes from. */
  course?: string;
  minutes?: number;
  chapter: { id: string; number: number; title: string };
  /** Its number in the chapter. */
  number: number;
  lab: LabMeta | null;
}

export interface ChapterMeta {
  id: string;
  number: number;
  title: string;
  summary: string;
  lessons: LessonMeta[];
  /** Its last page, at "/" + id + "/closing". */
  closing: { title: string; summary: string } | null;
  /** At "/" + id + "/glossary". */
  glossary: { title: string; summary: string } | null;
}

/** The address of the page that lists all of workbook/net, without the slash. */
export const referenceId = "reference";

/** A text with a page of its own. */
export interface TextContent {
  /** Its address without the slash. */
  id: string;
  tree: Root;
  /** The ## and ### headings, in order; `id` is the fragment of the address. */
  headings: { id: string; text: string; depth: 2 | 3 }[];
}

export interface LessonContent extends TextContent {
  /** What the student's files start from. */
  files: { file: string; starter: string }[];
  /** For each check id its ladder, the gentlest hint first. */
  hints: Record<string, Root[]>;
}

/** What `virtual:book` holds. */
export interface BookData {
  chapters: ChapterMeta[];
}

/**
 * The words of lessons: elements of the tree that are no HTML, with their properties. All children are
 * ordinary content unless said otherwise. Everything else in a tree is plain HTML.
 */
export interface DirectiveElements {
  /** The card that opens the workbench. Its children say what to do. */
  "lesson-lab": Record<string, never>;
  /** A question to guess before running. Children: one lesson-question, lesson-option*, one lesson-reveal. */
  "lesson-predict": { name: string };
  /** Children: one lesson-question, then lesson-option with one lesson-choice and perhaps a lesson-explanation. */
  "lesson-quiz": { name: string };
  "lesson-question": Record<string, never>;
  /** `correct` is the right one. A predict without options is answered in one's own words. */
  "lesson-option": { correct?: boolean };
  "lesson-choice": Record<string, never>;
  "lesson-explanation": Record<string, never>;
  "lesson-reveal": Record<string, never>;
  /** Things to do in a shell. Children: prose, lesson-command, lesson-code (what one then sees). */
  "lesson-try": Record<string, never>;
  /** Shell lines to copy: `command` is their text. Children: the pre; .line.more where a command goes on. */
  "lesson-command": { command: string };
  /** What the author saw after a command: folded until the reader asks. */
  "lesson-saw": Record<string, never>;
  /** What a lesson leaves behind, at its end. */
  "lesson-recap": Record<string, never>;
  /** The repair in steps, hidden until the checks pass or the reader asks. Children: prose and lesson-diff. */
  "lesson-walkthrough": Record<string, never>;
  /** Lines that stay, go and come. Children: the highlighted pre, each line a span.line.stays, .goes or .comes. */
  "lesson-diff": { lines: number };
  /** What the lab's checks send and expect. Children: lesson-we-test-item*, each a lesson-check and prose. */
  "lesson-we-test": Record<string, never>;
  "lesson-we-test-item": { name: string };
  /** A margin note. */
  "lesson-aside": Record<string, never>;
  /** A drawing, inlined so that it follows the theme. `svg` is markup; `alt` its text. Children: the caption. */
  "lesson-figure": { name: string; alt: string; svg: string };
  /** A chart of what a program of the lab measures; `points` are the lines that it has printed for the book. Children: the caption. */
  "lesson-measure": { program: string; points: string };
  /** The table of what the checks say of the student's server and of others. Children: the caption. */
  "lesson-scoreboard": Record<string, never>;
  /** Two blocks of code (lesson-code) side by side. */
  "lesson-compare": Record<string, never>;
  /** A block of code. Children: the highlighted pre, each line a span.line (.marked if pointed at). */
  "lesson-code": { lang: string; text: string; title?: string; file?: string };
  /**
   * What is known of one function of workbook/net; `man` and `href` are the page of its system call. Children: its
   * short signature (lesson-code), prose, lesson-call-details, lesson-call-part*.
   */
  "lesson-call": { name: string; anchor: string; man?: string; href?: string };
  /** Folded in a lesson. Children: both signatures with their types (lesson-code), lesson-call-item*. */
  "lesson-call-details": { label: string };
  /** A row of a card. Children: prose, or lesson-call-item*. */
  "lesson-call-part": { label: string };
  /** A name and what it means; `title` says more of the name, `anchor` is the fragment of its place. */
  "lesson-call-item": { term: string; title?: string; anchor?: string };
  /** A list of lesson-call-item. */
  "lesson-names": Record<string, never>;
  /** The name of a system call; `href` is its man page, `summary` what it does. */
  "lesson-syscall": { name: string; href: string; summary: string };
  /** A term of a glossary, its Chinese and what it means; `href` is its place in the glossary. */
  "lesson-term": { term: string; zh: string; meaning: string; href: string };
  /** The terms of a glossary. Children: lesson-term-entry. */
  "lesson-terms": Record<string, never>;
  /** Children: what the term means, and where to read more. */
  "lesson-term-entry": { term: string; zh: string; anchor: string };
  /** The name of a pane: opens it. */
  "lesson-pane": { name: PaneName };
  /** The title of a check of this lesson: opens it in Checks. */
  "lesson-check": { name: string };
}
