// hints.md of a lab: "## <check id>", and under it the rungs "### 1", "### 2" …, from a nudge to nearly the answer.
import { existsSync, readFileSync } from "node:fs";

/** The ladders of a hints.md: the texts of its rungs for each check id, and the line where the ladder begins. */
export function readHints(file: string): Map<string, { line: number; rungs: string[] }> {
  const ladders = new Map<string, { line: number; rungs: string[] }>();
  if (!existsSync(file)) return ladders;
  let ladder: { line: number; rungs: string[] } | null = null;
  let code = false;
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    if (line.startsWith("```")) code = !code;
    const check = code ? null : /^## +(\S+)\s*$/.exec(line);
    if (check) {
      ladder = { line: index + 1, rungs: [] };
      ladders.set(check[1]!, ladder);
    } else if (ladder && !code && /^### +\d+\s*$/.test(line)) {
      ladder.rungs.push("");
    } else if (ladder && ladder.rungs.length > 0) {
      ladder.rungs[ladder.rungs.length - 1] += `${line}\n`;
    }
  }
  for (const { rungs } of ladders.values()) for (const i of rungs.keys()) rungs[i] = rungs[i]!.trim();
  return ladders;
}
