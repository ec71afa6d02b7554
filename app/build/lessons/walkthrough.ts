// Walk-through. The way from a lab's starter to its solution in steps, each with its reason: lab/walkthrough.md. A step names
// regions of both files, and its diff is made from them; what no step names must be the same in both files, so that the steps
// together lead from one to the other exactly.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Element } from "hast";
import type { Code, Nodes, Root } from "mdast";
import { mark } from "../../../server-labs/book.ts";
import type { Highlight } from "./highlight.ts";
import { linesOfRegion, tidy } from "./include.ts";
import { type DiffLine, lineDiff } from "./line-diff.ts";
import { type Context, compileMarkdown } from "./markdown.ts";
import { type DirectiveNode, directiveNode, Page, parseMarkdown } from "./page.ts";

const attributes = /^\s*(?:(?:starter|solution)="[^"]*"\s*)*$/;

/** One of the two programs: its lines, and for each line the fence that explains it. */
interface Side {
  name: "starter" | "solution";
  file: string;
  lines: string[];
  /** For each line the fence with the smallest named range that has it. */
  owner: (Owner | null)[];
}

/** Why a line is in a step. */
interface Owner {
  fence: Code;
  /** Lines of the smallest range of the fence that has it: the smallest of all fences explains the line. */
  size: number;
  /** The largest range of the fence that has it: where it begins, and its lines. They are moved to the margin together. */
  part: { from: number; size: number };
}

/** The steps as a tree; null for a lab without a walk-through. Mistakes, and the files, are noted on the lesson's page. */
export function compileWalkthrough(lesson: Page, context: Context): Element["children"] | null {
  const lab = lesson.lesson?.lab;
  const file = lab && join(lab.folder, "lab", "walkthrough.md");
  if (!file || !existsSync(file)) return null;
  const page = new Page(file, readFileSync(file, "utf8"), lesson.root, lesson.lesson);
  const root = parseMarkdown(page.text);
  const sides = [sideOf("starter", lab.files[0]!.starter), sideOf("solution", lab.solution)] as const;
  const fences = root.children.filter((node): node is Code => node.type === "code" && node.lang === "diff");
  if (fences.length === 0)
    page.report(
      { position: undefined },
      'A step has a fence ```diff starter="…" solution="…" with names of regions.',
    );
  for (const fence of fences) for (const side of sides) claim(fence, side, page);
  if (page.problems.length === 0) mustMeet(sides, page);
  const diff = (node: Nodes): Nodes =>
    node.type === "code" && node.lang === "diff" ? diffNode(node, fences, sides, context.highlight) : node;
  const tree = compileMarkdown(page, context, { ...root, children: root.children.map(diff) } as Root);
  lesson.problems.push(...page.problems);
  for (const used of [file, ...sides.map(side => side.file)]) lesson.files.add(used);
  return tree.children as Element["children"];
}

function sideOf(name: Side["name"], file: string): Side {
  const lines = readFileSync(file, "utf8").split("\n");
  return { name, file, lines, owner: lines.map(() => null) };
}

/** Notes which lines a fence explains. Of two ranges that have a line, the smaller one explains it. */
function claim(fence: Code, side: Side, page: Page): void {
  const meta = fence.meta ?? "";
  if (!attributes.test(meta) || (side.name === "starter" && meta.trim() === ""))
    page.report(fence, 'The fence of a step is written ```diff starter="accept" solution="accept, welcome".');
  const names = new RegExp(`${side.name}="([^"]*)"`).exec(meta)?.[1] ?? "";
  for (const name of names.split(/[\s,]+/).filter(Boolean)) {
    const found = rangeOf(side.lines, name, `lab/${side.name}.ts`);
    if ("mistake" in found) {
      page.report(fence, found.mistake, name);
      continue;
    }
    const size = found.to - found.from;
    const ranges = side.owner.slice(found.from, found.to);
    if (ranges.some(other => other && other.fence !== fence && other.size === size))
      page.report(fence, `Another step has "${name}" of lab/${side.name}.ts already.`, name);
    for (const [i, other] of ranges.entries())
      side.owner[found.from + i] = ownerOf(other, { fence, size, part: { from: found.from, size } });
  }
}

/** Of two that have a line: the one with the smaller range. Two ranges of one fence are one owner. */
function ownerOf(one: Owner | null, other: Owner): Owner {
  if (one?.fence === other.fence) {
    const part = one.part.size > other.part.size ? one.part : other.part;
    return { fence: one.fence, size: Math.min(one.size, other.size), part };
  }
  return one && one.size <= other.size ? one : other;
}

/** A region or a declaration with the comment above it; "imports": all of them. */
function rangeOf(lines: string[], name: string, file: string) {
  if (name === "imports") {
    const from = lines.findIndex(line => /^import\b/.test(line));
    const last = lines.findLastIndex(line => /^(import|\}) .*from ".*";$|^import ".*";$/.test(line));
    return from < 0 ? { mistake: `${file} has no import.` } : { from, to: last + 1 };
  }
  const found = linesOfRegion(lines, name, file);
  if ("mistake" in found) return found;
  let { from } = found;
  if (found.declared) while (/^\s*(\/\/(?! #region)|\/?\*)/.test(lines[from - 1] ?? "")) from--;
  return { from, to: found.to };
}

/** Lines that no step explains, without those that say nothing: blank ones, marks, and the comment that opens the file. */
function unexplained({ lines, owner }: Side): number[] {
  const opening = lines.findIndex(line => !line.startsWith("//"));
  return [...lines.keys()].filter(
    at => at >= opening && !owner[at] && lines[at]!.trim() !== "" && !mark.test(lines[at]!),
  );
}

/** Reports the first line that the steps forget: it is in one program, and not at this place of the other. */
function mustMeet([starter, solution]: readonly [Side, Side], page: Page): void {
  const [before, after] = [unexplained(starter), unexplained(solution)];
  const length = Math.max(before.length, after.length);
  const text = (side: Side, at: number | undefined) => (at === undefined ? undefined : side.lines[at]);
  for (let i = 0; i < length; i++) {
    const [gone, come] = [text(starter, before[i]), text(solution, after[i])];
    if (gone === come) continue;
    const isNew = come !== undefined && !before.slice(i).some(at => starter.lines[at] === come);
    const side = isNew || gone === undefined ? solution : starter;
    const line = (side === solution ? after[i]! : before[i]!) + 1;
    const other = side === solution ? "starter" : "solution";
    page.problems.push({
      file: relative(page.root, side.file),
      line,
      column: 1,
      sentence: `No step of lab/walkthrough.md names this line, and the ${other} does not have it here: name its region or its declaration in a fence \`\`\`diff ${side.name}="…".`,
    });
    return;
  }
}

/** A fence's lines of one program by its parts: where each line is. */
function partsOf({ owner }: Side, fence: Code): number[][] {
  const parts = new Map<number, number[]>();
  for (const [at, own] of owner.entries())
    if (own?.fence === fence) parts.set(own.part.from, [...(parts.get(own.part.from) ?? []), at]);
  return [...parts.values()];
}

/** Each part at the margin, a blank line between two, and none where a later step has taken lines away. */
function textOf({ lines }: Side, parts: number[][]): string[] {
  const texts = parts.map(part => tidy(part.map(at => lines[at]!))).filter(text => text !== "");
  const text = texts
    .join("\n\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .replaceAll(/([{([])\n\n/g, "$1\n")
    .replaceAll(/\n\n( *[})\]])/g, "\n$1");
  return text === "" ? [] : text.split("\n");
}

/** Lines that come into a function which is there already: with the line above them, and the one below. */
function insertion(part: number[], side: Side, isThere: (at: number) => boolean): DiffLine[] {
  const { lines } = side;
  const shown = (at: number) => lines[at]!.trim() !== "" && !mark.test(lines[at]!) && isThere(at);
  const inside = /^\s/.test(lines[part[0]!]!);
  const above = inside ? [...lines.keys()].findLast(at => at < part[0]! && shown(at)) : undefined;
  const below = inside ? [...lines.keys()].find(at => at > part.at(-1)! && shown(at)) : undefined;
  const around = (at: number | undefined) => (at === undefined ? [] : [at]);
  const text = textOf(side, [[...around(above), ...part, ...around(below)]]);
  return text.map((text, i, { length }) => {
    const stays = (i === 0 && above !== undefined) || (i === length - 1 && below !== undefined);
    return { sign: stays ? " " : "+", text };
  });
}

function diffOf(
  fence: Code,
  fences: readonly Code[],
  [starter, solution]: readonly [Side, Side],
): DiffLine[] {
  const [gone, come] = [partsOf(starter, fence), partsOf(solution, fence)];
  if (gone.length > 0) return lineDiff(textOf(starter, gone), textOf(solution, come));
  const isThere = (at: number) => {
    const own = solution.owner[at];
    return !own || fences.indexOf(own.fence) < fences.indexOf(fence);
  };
  return come.flatMap((part, i) => [
    ...(i > 0 ? [{ sign: " ", text: "" } as const] : []),
    ...insertion(part, solution, isThere),
  ]);
}

function diffNode(
  fence: Code,
  fences: readonly Code[],
  sides: readonly [Side, Side],
  highlight: Highlight,
): DirectiveNode {
  const lines = diffOf(fence, fences, sides);
  const node = directiveNode(fence, "lesson-diff", { lines: lines.length }, []);
  const pre = highlight(lines.map(({ text }) => text).join("\n"), "ts", new Set());
  node.data.hChildren = [
    signed(
      pre,
      lines.map(({ sign }) => sign),
    ),
  ];
  return node;
}

const classOf = { " ": "stays", "-": "goes", "+": "comes" } as const;

/** The highlighted lines, each with its class. */
function signed(pre: Element, signs: readonly (keyof typeof classOf)[]): Element {
  const code = pre.children[0] as Element;
  let next = 0;
  const children = code.children.map(line =>
    line.type === "element"
      ? { ...line, properties: { className: ["line", classOf[signs[next++] ?? " "]] } }
      : line,
  );
  return { ...pre, children: [{ ...code, children }] };
}
