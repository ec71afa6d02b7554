// Include. Code in prose comes from a real file, so that it cannot drift: a whole file, the lines between two region marks,
// or one top-level declaration by its name. The marks are not shown.
import { mark } from "../../../server-labs/book.ts";
import { suggestion } from "../../../server-labs/protocol.ts";

const declaration =
  /^(?:export )?(?:async )?(?:function\*?|class|const|let|interface|type|def) +([A-Za-z_$][\w$]*)/;

/**
 * One region of a source, without marks, blank lines around it, and common indentation.
 * @returns the lines, or the sentence that says which regions there are
 */
export function region(text: string, name: string, file: string): { code: string } | { mistake: string } {
  const lines = text.split("\n");
  const found = linesOfRegion(lines, name, file);
  return "mistake" in found ? found : { code: tidy(lines.slice(found.from, found.to)) };
}

/** Where a region is: its lines, without the marks around it, or the sentence that says which regions there are. */
export function linesOfRegion(
  lines: readonly string[],
  name: string,
  file: string,
): { from: number; to: number; declared: boolean } | { mistake: string } {
  const found = lines.findIndex(line => markOf(line)?.opens === name);
  if (found >= 0) {
    const end = lines.findIndex((line, i) => i > found && markOf(line)?.closes === name);
    if (end < 0) return { mistake: `${file} has "#region ${name}" but no "#endregion ${name}" after it.` };
    return { from: found + 1, to: end, declared: false };
  }
  const start = lines.findIndex(line => declaration.exec(line)?.[1] === name);
  if (start >= 0) return { from: start, to: endOfDeclaration(lines, start) + 1, declared: true };
  const marks = lines.flatMap(line => markOf(line)?.opens ?? []);
  const names = lines.flatMap(line => declaration.exec(line)?.[1] ?? []);
  return { mistake: `${file} has no region "${name}".${suggestion(name, [...marks, ...names], "regions")}` };
}

function markOf(line: string): { opens?: string; closes?: string } | null {
  const match = mark.exec(line);
  if (!match) return null;
  return match[1] === "region" ? { opens: match[2]! } : { closes: match[2]! };
}

/** The last line of a declaration in formatted code: the closing bracket at the margin, or its only line. */
function endOfDeclaration(lines: readonly string[], start: number): number {
  if (/^def /.test(lines[start]!)) {
    let end = start;
    for (let i = start + 1; i < lines.length && /^(\s|$)/.test(lines[i]!); i++) if (lines[i]!.trim()) end = i;
    return end;
  }
  if (!/[{([`]$/.test(lines[start]!)) return start;
  const end = lines.findIndex((line, i) => i > start && /^[})\]`]/.test(line));
  return end < 0 ? lines.length - 1 : end;
}

/** Without marks, blank lines at both ends and the indentation that all lines share. */
export function tidy(lines: string[]): string {
  const shown = lines.filter(line => !mark.test(line));
  while (shown.length > 0 && !shown[0]!.trim()) shown.shift();
  while (shown.length > 0 && !shown.at(-1)!.trim()) shown.pop();
  const indents = shown.filter(line => line.trim()).map(line => /^[ \t]*/.exec(line)![0].length);
  const shared = Math.min(...indents, 80);
  return shown.map(line => line.slice(shared)).join("\n");
}
