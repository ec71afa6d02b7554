// Scoreboard text. The table of a scoreboard for a terminal of 80 columns, and below it why a check was not passed.
import {
  type CellState,
  cellWords,
  missingWords,
  type ScoredCheck,
  type Scores,
  type ScoreTable,
  scoreTable,
  totalWords,
  visible,
} from "../protocol.ts";

/** Words are broken at this column. */
const width = 96;

/** @returns the lines of the table, and of the reasons */
export function boardLines(lab: string, checks: readonly ScoredCheck[], scores: Scores): string[] {
  const table = scoreTable(checks, scores, false);
  return [
    `${lab} · scoreboard`,
    "",
    ...tableLines(table),
    ...table.servers.flatMap((_, i) => reasons(table, i)),
  ].map(line => visible(line).trimEnd());
}

function tableLines({ servers, groups, totals }: ScoreTable): string[] {
  const heads = groups.flatMap(({ rows }) => rows.map(({ check }) => `  ${check.id}`));
  const first = Math.max(...[...heads, cellWords.unjudged.word].map(head => head.length)) + 2;
  const columns = servers.map(({ name }, i) => {
    const cells = groups.flatMap(({ rows }) => rows.map(row => written(row.cells[i]!.state).length));
    return Math.max(name.length, ...cells) + 2;
  });
  const line = (head: string, cells: readonly string[]) =>
    head.padEnd(first) + cells.map((cell, i) => cell.padEnd(columns[i]!)).join("");
  return [
    line(
      "",
      servers.map(({ name }) => name),
    ),
    ...groups.flatMap(({ title, rows }) => [
      ...(title === null ? [] : [title]),
      ...rows.map(({ check, cells }) =>
        line(
          `  ${check.id}`,
          cells.map(({ state }) => written(state)),
        ),
      ),
    ]),
    "",
    ...(["passed", "failed", "unjudged"] as const).map(kind =>
      line(
        cellWords[kind].word,
        totals.map(total => (total ? String(total[kind]) : "–")),
      ),
    ),
  ];
}

const written = (state: CellState) => `${cellWords[state].sign} ${cellWords[state].word}`;

/** What one server did not pass, and why. */
function reasons({ servers, groups, totals }: ScoreTable, column: number): string[] {
  const { name, missing } = servers[column]!;
  const total = totals[column];
  const lines = ["", `${name}: ${missing ? missingWords(missing) : totalWords(total!)}.`];
  for (const { check, cells } of groups.flatMap(group => group.rows)) {
    const { state, why } = cells[column]!;
    if (why === null || state === "passed") continue;
    lines.push(...wrapped(`  ${check.id}, ${cellWords[state].word}: ${why}`, "    "));
  }
  return lines;
}

/** Breaks a line between words. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.match(/\s*\S+/g) ?? []) {
    if (line !== "" && line.length + word.length > width) {
      lines.push(line);
      line = indent + word.trimStart();
    } else line += word;
  }
  return line === "" ? lines : [...lines, line];
}
