// Mutant. A wrong program, with the check that must catch it: a whole program NAME.ts, or NAME.diff, which changes the
// solution. A hunk finds its place by its lines, not by numbers, so that it survives changes elsewhere in the solution.
import type { BookProblem } from "./problem.ts";

type Mistake = Omit<BookProblem, "file">;

/** One place to change: these lines of the solution, and the lines that replace them. */
interface Hunk {
  before: string[];
  after: string[];
  /** Lines of the diff: the one with @@, and for each line of `before` its own. */
  line: number;
  lines: number[];
}

/** The check that must catch a mutant, from its first line; null when that line names no check. */
export function caughtBy(text: string): { id: string; column: number } | null {
  const first = text.split("\n", 1)[0]!;
  const id = /^\/\/ caught by: (\S+)\s*$/.exec(first)?.[1];
  return id === undefined ? null : { id, column: first.indexOf(id) + 1 };
}

/**
 * The program that a diff makes of the solution.
 * @returns the program, or everything that is wrong with the diff
 */
export function applyDiff(diff: string, solution: string): { program: string } | { mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const program = solution.split("\n");
  const edits: { from: number; hunk: Hunk }[] = [];
  for (const hunk of hunksOf(diff, mistakes)) {
    const from = placeOf(hunk, program, mistakes);
    if (from !== null) edits.push({ from, hunk });
  }
  // From the end to the beginning, so that what is not yet edited stays where it was found.
  edits.sort((a, b) => b.from - a.from);
  for (const [i, { from, hunk }] of edits.entries()) {
    const next = edits[i - 1];
    if (next && from + hunk.before.length > next.from) {
      const sentence = "Two hunks share a line of solution.ts: make one hunk of them.";
      mistakes.push({ line: Math.max(hunk.line, next.hunk.line), column: 1, sentence });
    }
    program.splice(from, hunk.before.length, ...hunk.after);
  }
  return mistakes.length > 0 ? { mistakes } : { program: program.join("\n") };
}

function hunksOf(diff: string, mistakes: Mistake[]): Hunk[] {
  const hunks: Hunk[] = [];
  const lines = diff.replace(/\n$/, "").split("\n");
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    const hunk = hunks.at(-1);
    if (text.startsWith("@@")) hunks.push({ before: [], after: [], line, lines: [] });
    else if (!hunk) {
      if (text !== "" && !text.startsWith("//"))
        mistakes.push({
          line,
          column: 1,
          sentence: "Before the first @@ write only lines that begin with //, or empty lines.",
        });
    } else if (/^[ +-]/.test(text) || text === "") {
      // Editors take the one space of an empty line away.
      const rest = text.slice(1);
      if (text[0] !== "+") {
        hunk.before.push(rest);
        hunk.lines.push(line);
      }
      if (text[0] !== "-") hunk.after.push(rest);
    } else {
      const sentence =
        "A line of a hunk begins with a space (stays), - (goes), + (comes), or @@ (the next hunk).";
      mistakes.push({ line, column: 1, sentence });
    }
  }
  if (hunks.length === 0)
    mistakes.push({
      line: lines.length,
      column: 1,
      sentence: "This diff changes nothing: it has no hunk, which begins with a line @@.",
    });
  for (const { before, after, line } of hunks) {
    if (before.length > 0 && before.join("\n") === after.join("\n"))
      mistakes.push({ line, column: 1, sentence: "This hunk changes nothing: no line of it has - or +." });
  }
  return hunks;
}

/** The line (from 0) at which the lines of a hunk begin. They must be in the program exactly once. */
function placeOf({ before, line, lines }: Hunk, program: readonly string[], mistakes: Mistake[]) {
  if (before.length === 0) {
    const sentence =
      "This hunk has no place: give it a line of solution.ts, behind a space (the line stays) or - (the line goes).";
    mistakes.push({ line, column: 1, sentence });
    return null;
  }
  const places: number[] = [];
  let most = 0;
  for (const from of program.keys()) {
    let same = 0;
    while (same < before.length && program[from + same] === before[same]) same++;
    if (same === before.length) places.push(from);
    most = Math.max(most, same);
  }
  if (places.length === 1) return places[0]!;
  const sentence =
    places.length === 0
      ? `solution.ts has no such line ${most === 0 ? "where this hunk begins" : "behind those above it"}: copy the line from solution.ts as it is now.`
      : `The lines of this hunk are ${places.length} times in solution.ts (at ${places.map(at => at + 1).join(", ")}): add lines around them until they are there once.`;
  mistakes.push({ line: places.length === 0 ? lines[most]! : line, column: 1, sentence });
  return null;
}
