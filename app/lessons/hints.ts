// hints.md: for each check "## its-id" and a numbered list, the gentlest hint first. Rungs are Markdown like
// any other prose of the lesson.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Root } from "hast";
import { toString as textOf } from "mdast-util-to-string";
import { suggestion } from "../../server-labs/book/problem.ts";
import type { Lab } from "../../server-labs/book.ts";
import { type Context, compileMarkdown } from "./markdown.ts";
import { Page, parseMarkdown } from "./page.ts";

/** The ladders of a lab by check id. Mistakes and the file are noted on the lesson's page. */
export function readHints(lab: Lab | null, lesson: Page, context: Context): Record<string, Root[]> {
  if (!lab) return {};
  const file = join(lab.folder, "lab", "hints.md");
  if (!existsSync(file)) {
    lesson.report({ position: undefined }, "The lab of this lesson has no lab/hints.md.");
    return {};
  }
  const page = new Page(file, readFileSync(file, "utf8"), lesson.root, lesson.lesson);
  const ids = lab.checks.map(check => check.id);
  const found = idsOf(page, ids);
  const ladders: Record<string, Root[]> = {};
  let id: string | undefined;
  for (const node of compileMarkdown(page, context).children) {
    if (node.type !== "element") continue;
    if (node.tagName === "h2") id = found.shift();
    else if (node.tagName === "ol" && id !== undefined)
      ladders[id] = node.children.flatMap(item =>
        item.type === "element" ? { type: "root" as const, children: item.children } : [],
      );
  }
  lesson.problems.push(...page.problems);
  for (const used of page.files) lesson.files.add(used);
  return ladders;
}

/** The check that each ## names, in order, after telling what is wrong with the list of them. */
function idsOf(page: Page, ids: string[]): string[] {
  const { children } = parseMarkdown(page.text);
  const headings = children.filter(node => node.type === "heading" && node.depth === 2);
  const found = headings.map(heading => {
    const id = textOf(heading);
    if (!ids.includes(id))
      page.report(heading, `There is no check "${id}".${suggestion(id, ids, "checks of this lab")}`, id);
    const ladder = children[children.indexOf(heading) + 1];
    if (ladder?.type !== "list" || !ladder.ordered)
      page.report(heading, `Below "## ${id}" stands its ladder: a numbered list, the gentlest hint first.`);
    return id;
  });
  for (const id of ids.filter(id => !found.includes(id)))
    page.report(
      { position: undefined },
      `The check "${id}" has no hints: write "## ${id}" and a numbered list.`,
    );
  return found;
}
