// Measurement directive. The name of a program of the lab that measures, and the book's points, which are a file of lines
// that the program has printed.
import { existsSync, readFileSync } from "node:fs";
import { costRowsIn } from "../../cost-points.ts";
import { type Directive, type DirectiveNode, directiveNode, type Page } from "./page.ts";

/** The directive's content is the caption. */
export function measure(node: Directive, page: Page): DirectiveNode | null {
  const { program = "", points = "" } = node.attributes ?? {};
  const files = page.lesson?.lab?.files.map(({ file }) => file) ?? [];
  if (!program || !files.includes(program))
    page.report(
      node,
      `:::measure names a file that the lab begins with: ${files.join(", ") || "there is no lab"}.`,
    );
  const file = points ? page.inFolder(points) : null;
  // Also one that is missing: when it comes, the mistake is gone.
  if (file) page.files.add(file);
  const text = file && existsSync(file) ? readFileSync(file, "utf8") : "";
  if (costRowsIn(text).length > 0)
    return directiveNode(
      node,
      "lesson-measure",
      { program: program ?? "", points: text },
      node.children as never,
    );
  page.report(
    node,
    `:::measure needs the book's points: lines of JSON in a file of this lesson's folder.`,
    "points",
  );
  return null;
}
