// Hints. Reads a lab's hints.md: for each check "## its-id", and under it hints "### 1", "### 2" …, from a nudge to nearly
// the answer. The page renders a hint as Markdown, the shell prints it as it is.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suggestion } from "../protocol.ts";
import type { Lab } from "./book.ts";

/** One rung; its text is `text.slice(from, to)` of the whole file. */
export interface Rung {
  from: number;
  to: number;
}

export interface Hints {
  /** The rungs of each check, and the offset of its id. */
  ladders: Map<string, { at: number; rungs: Rung[] }>;
  /** Each mistake with its offset. */
  mistakes: { at: number; sentence: string }[];
}

/** A hints.md. */
export interface HintsFile extends Hints {
  file: string;
  text: string;
}

/** The hints.md of this lab with its hints; null when the file does not exist. @param ids of its checks */
export function hintsOf(lab: Lab, ids: readonly string[] = lab.checks.map(({ id }) => id)): HintsFile | null {
  const file = join(lab.folder, "lab", "hints.md");
  if (!existsSync(file)) return null;
  const text = readFileSync(file, "utf8");
  const further = lab.passes?.checks.map(({ id }) => id) ?? [];
  return { file, text, ...readHints(text, ids, further) };
}

/** The hints of the lab that this one passes, for the checks for which this one has none; null without such a lab. */
export function furtherHintsOf(lab: Lab): HintsFile | null {
  const hints = lab.passes ? hintsOf(lab.passes) : null;
  if (!hints) return null;
  const own = hintsOf(lab)?.ladders;
  const ladders = new Map([...hints.ladders].filter(([id]) => !own?.has(id)));
  return { ...hints, ladders, mistakes: [] };
}

/**
 * Reads the text of a hints.md; offsets are of this text.
 * @param ids the checks that may have hints
 * @param further those of them that need none here, because another lab has theirs
 */
export function readHints(text: string, ids: readonly string[], further: readonly string[] = []): Hints {
  const ladders: Hints["ladders"] = new Map();
  const mistakes: Hints["mistakes"] = [];
  let ladder: { at: number; rungs: Rung[] } | null = null;
  let rung: Rung | null = null;
  let reported = false;
  for (const { at, end, line, code } of lines(text)) {
    const [, sign, words] = (code ? null : /^(##|###) +(.*?)[ #]*$/.exec(line)) ?? [];
    if (sign === "##") {
      const id = words!;
      const place = at + line.indexOf(id);
      if (!ids.includes(id))
        mistakes.push({
          at: place,
          sentence: `There is no check "${id}".${suggestion(id, ids, "checks of this lab")}`,
        });
      if (ladders.has(id))
        mistakes.push({ at: place, sentence: `The check "${id}" already has hints above.` });
      ladder = ladders.get(id) ?? { at: place, rungs: [] };
      ladders.set(id, ladder);
      rung = null;
      reported = false;
    } else if (sign === "###" && ladder) {
      rung = { from: end, to: end };
      const next = ladder.rungs.push(rung);
      if (words !== String(next)) mistakes.push({ at, sentence: `The next hint is "### ${next}".` });
    } else if (rung) rung.to = end;
    else if (ladder && !reported && line.trim() !== "") {
      reported = true;
      mistakes.push({ at, sentence: `This text belongs to no hint: write "### 1" before it.` });
    }
  }
  for (const id of ids)
    if (!further.includes(id) && !ladders.get(id)?.rungs.length)
      mistakes.push({ at: 0, sentence: `The check "${id}" has no hints: "## ${id}", then "### 1".` });
  return { ladders, mistakes };
}

/** Each line, from `at` to `end` (behind its line break); in a fence it is code, and no heading. */
function* lines(text: string): Generator<{ at: number; end: number; line: string; code: boolean }> {
  let fence = "";
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at) + 1 || text.length;
    const line = text.slice(at, end).trimEnd();
    const [, mark = "", info = ""] = /^\s*(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    yield { at, end, line, code: fence !== "" || mark !== "" };
    if (fence === "") fence = mark;
    else if (mark.startsWith(fence) && info === "") fence = "";
    at = end;
  }
}
