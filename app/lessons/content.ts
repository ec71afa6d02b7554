// What the lesson compiler hands to the page: plain data, no code. A lesson is a hast tree of ordinary HTML
// elements and of the words below, each of which the reader gives a component.
import type { Root } from "hast";

/** The lab of a lesson, as far as the page knows it without the lab server. */
export interface LabMeta {
  title: string;
  summary: string;
  port: number;
  checks: { id: string; title: string }[];
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
  /** Ids of the neighbours in reading order, across chapters. */
  previous: string | null;
  next: string | null;
}

export interface Chapter {
  id: string;
  number: number;
  title: string;
  summary: string;
  /** What chapter.md says below its fields; empty if nothing. */
  intro: Root;
  lessons: LessonMeta[];
}

export interface LessonContent {
  id: string;
  tree: Root;
  /** The ## and ### headings, in order; `id` is the fragment of the address. */
  headings: { id: string; text: string; depth: 2 | 3 }[];
  /** What the student's files start from. */
  files: { file: string; starter: string }[];
  /** For each check id its ladder, the gentlest hint first. */
  hints: Record<string, Root[]>;
}

/** What `virtual:book` holds. */
export interface BookData {
  chapters: Chapter[];
}

/**
 * The words of lessons: elements of the tree that are no HTML, with their properties. All children are
 * ordinary content unless said otherwise. Everything else in a tree is plain HTML.
 */
export interface Words {
  /** The card that opens the workbench. Its children say what to do. */
  "lesson-lab": Record<string, never>;
  /** A question to guess before running. Children: one lesson-question, lesson-option*, one lesson-reveal. */
  "lesson-predict": { name: string };
  /** Children: one lesson-question, then lesson-option with lesson-choice and lesson-explanation. */
  "lesson-quiz": { name: string };
  "lesson-question": Record<string, never>;
  /** `correct` only in a quiz. In a predict its children are the option; without options one writes freely. */
  "lesson-option": { correct?: boolean };
  "lesson-choice": Record<string, never>;
  "lesson-explanation": Record<string, never>;
  "lesson-reveal": Record<string, never>;
  /** Things to do in a shell. Children: prose, lesson-command, lesson-code (what one then sees). */
  "lesson-try": Record<string, never>;
  /** Shell lines to copy: `command` is their text. Children: the pre; .line.more where a command goes on. */
  "lesson-command": { command: string };
  /** A margin note. */
  "lesson-aside": Record<string, never>;
  /** A drawing, inlined so that it follows the theme. `svg` is markup; `alt` its text. Children: the caption. */
  "lesson-figure": { name: string; alt: string; svg: string };
  /** Two blocks of code (lesson-code) side by side. */
  "lesson-compare": Record<string, never>;
  /** A block of code. Children: the highlighted pre, each line a span.line (.marked if pointed at). */
  "lesson-code": { lang: string; text: string; title?: string; file?: string };
  /** The name of a system call; `href` is its man page, `summary` what it does. */
  "lesson-syscall": { name: string; href: string; summary: string };
  /** The name of a pane: opens it. */
  "lesson-pane": { name: "Output" | "Syscalls" | "Kernel" | "Checks" };
  /** The title of a check of this lesson: opens it in Checks. */
  "lesson-check": { name: string };
}
