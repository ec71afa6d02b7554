// Length. The words of a lesson that its reader reads one after another. What one looks at (code, a figure), what
// one answers (a quiz, the question of a guess), what one may leave out (a margin note) and what is said again (the recap)
// is not counted.
import type { Root, RootContent } from "hast";

/** A lesson is one idea. Fewer words seldom make it clear, and more are two ideas, or one said twice. */
export const least = 400;
export const most = 900;

const notRead = [
  "pre",
  "lesson-aside",
  "lesson-call",
  "lesson-code",
  "lesson-command",
  "lesson-compare",
  "lesson-figure",
  "lesson-measure",
  "lesson-option",
  "lesson-question",
  "lesson-quiz",
  "lesson-recap",
  "lesson-scoreboard",
  "lesson-walkthrough",
  "lesson-we-test",
];
/** Elements that may end within a word, as in "*re*ready". All others part words. */
const withinWords = [
  "a",
  "code",
  "del",
  "em",
  "lesson-check",
  "lesson-pane",
  "lesson-syscall",
  "lesson-term",
  "strong",
];

/**
 * The running words of a lesson: its paragraphs, lists, tables and headings, what is below the line of a guess,
 * and what a :::try says; a word has a letter or a digit, and white space parts it from the next.
 */
export function proseWords(tree: Root): number {
  return readText(tree)
    .split(/\s+/)
    .filter(word => /[\p{L}\p{N}]/u.test(word)).length;
}

function readText(node: Root | RootContent): string {
  if (node.type === "text") return node.value;
  if (!("children" in node) || (node.type === "element" && notRead.includes(node.tagName))) return "\n";
  const text = node.children.map(readText).join("");
  return node.type === "element" && withinWords.includes(node.tagName) ? text : `\n${text}\n`;
}

const has = (words: number) =>
  `This lesson has ${words} words, and one idea takes ${least} to ${most} (code, figures, questions, margin notes and the recap not counted).`;

/** The sentence for a lesson with more words than the most. */
export const tooLong = (words: number) =>
  `${has(words)} Say each thing once, put what only the curious ask into an :::aside, or make two lessons of it.`;

/** The sentence for a lesson with fewer words than the least. It is not a mistake, for a lesson grows from its first word on. */
export const stillShort = (words: number) => `${has(words)} If it is still being written, all is well.`;
