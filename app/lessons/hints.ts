// hints.md: for each check "## its-id", and under it the rungs "### 1", "### 2", from a nudge to nearly the
// answer. Rungs are Markdown like any other prose of the lesson.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Root } from "hast";
import type { Root as Markdown } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import { suggestion } from "../../server-labs/book/problem.ts";
import type { Lab } from "../../server-labs/book.ts";
import { type Context, compileMarkdown } from "./markdown.ts";
import { Page, parseMarkdown } from "./page.ts";

/** The ladders of a lab by check id. Mistakes, and the file, are noted on the lesson's page. */
export function readHints(lab: Lab | null, lesson: Page, context: Context): Record<string, Root[]> {
  if (!lab) return {};
  const file = join(lab.folder, "lab", "hints.md");
  if (!existsSync(file)) {
    lesson.report({ position: undefined }, "The lab of this lesson has no lab/hints.md.");
    return {};
  }
  const page = new Page(file, readFileSync(file, "utf8"), lesson.root, lesson.lesson);
  const ladders = laddersOf(page, lab);
  const compiled = Object.entries(ladders).map(([id, rungs]) => [
    id,
    rungs.map(rung => compileMarkdown(page, context, rung)),
  ]);
  lesson.problems.push(...page.problems);
  for (const used of page.files) lesson.files.add(used);
  return Object.fromEntries(compiled);
}

function laddersOf(page: Page, lab: Lab): Record<string, Markdown[]> {
  const ids = lab.checks.map(check => check.id);
  const ladders: Record<string, Markdown[]> = {};
  let id: string | undefined;
  for (const node of parseMarkdown(page.text).children) {
    const rungs = id === undefined ? [] : ladders[id]!;
    if (node.type === "heading" && node.depth === 2) {
      id = textOf(node);
      if (!ids.includes(id))
        page.report(node, `There is no check "${id}".${suggestion(id, ids, "checks of this lab")}`, id);
      if (ladders[id]) page.report(node, `The check "${id}" has hints above already.`, id);
      ladders[id] ??= [];
    } else if (node.type === "heading" && node.depth === 3 && id !== undefined) {
      const next = rungs.push({ type: "root", children: [] });
      if (textOf(node) !== String(next)) page.report(node, `The next rung is "### ${next}".`);
    } else if (rungs.length > 0) rungs.at(-1)!.children.push(node);
    else if (id !== undefined) page.report(node, `Text stands in a rung: "### 1" comes before it.`);
  }
  for (const id of ids)
    if (!ladders[id]?.length)
      page.report({ position: undefined }, `The check "${id}" has no hints: "## ${id}", then "### 1".`);
  return ladders;
}
