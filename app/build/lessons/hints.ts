// Hints. The hints of a lesson: each rung of its lab's hints.md as a tree. Rungs are Markdown like any other prose of the lesson.
import { relative } from "node:path";
import type { Root } from "hast";
import {
  furtherHintsOf,
  type HintsFile,
  hintsOf,
  type Lab,
  place,
  type Rung,
} from "../../../server-labs/book.ts";
import { type Context, compileMarkdown } from "./markdown.ts";
import { Page, parseMarkdown } from "./page.ts";

/** The ladders of a lab by check id. Mistakes, and the file, are noted on the lesson's page. */
export function compileHints(lab: Lab | null, lesson: Page, context: Context): Record<string, Root[]> {
  if (!lab) return {};
  const hints = hintsOf(lab);
  if (!hints) {
    lesson.report({ position: undefined }, "The lab of this lesson has no lab/hints.md.");
    return {};
  }
  const further = furtherHintsOf(lab);
  return { ...(further && compileFile(further, lesson, context)), ...compileFile(hints, lesson, context) };
}

function compileFile(hints: HintsFile, lesson: Page, context: Context): Record<string, Root[]> {
  const { file, text, ladders, mistakes } = hints;
  const page = new Page(file, text, lesson.root, lesson.lesson);
  const compile = (rung: Rung) => compileMarkdown(page, context, parseMarkdown(alone(text, rung)));
  const compiled = [...ladders].map(([id, { rungs }]) => [id, rungs.map(compile)]);
  for (const { at, sentence } of mistakes)
    page.problems.push({ file: relative(page.root, file), ...place(text, at), sentence });
  lesson.problems.push(...page.problems);
  for (const used of page.files) lesson.files.add(used);
  return Object.fromEntries(compiled);
}

/** The rung at its own place in a file that holds nothing else: a mistake in it is reported at its place. */
function alone(text: string, { from, to }: Rung): string {
  return text.slice(0, from).replaceAll(/[^\n]/g, " ") + text.slice(from, to);
}
