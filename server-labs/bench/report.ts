// Report. One table, ratios first, and then a sentence for each target; the same as JSON.
import type { Spread } from "./figures.ts";

/** One line of the table. */
export interface FigureRow {
  section: string;
  /** What is measured: "nginx, one worker". */
  what: string;
  /** Against which line of its section; "" for the line that others are compared with. */
  against: string;
  ratio: Spread | null;
  /** The figure itself, and its unit: "ms", "requests/s", … */
  figure: Spread;
  unit: string;
  /** A second figure, where a line has one: CPU microseconds a request. */
  cpu?: Spread;
}

/** A ratio that shall be reached. */
export interface Target {
  /** "Run → first line, warm, of plain node" */
  what: string;
  /** The ratio shall be at least, or at most, this. */
  atLeast?: number;
  atMost?: number;
  /** null: it could not be measured, and `why` says why not. */
  ratio: number | null;
  why?: string;
}

export interface BenchReport {
  rows: FigureRow[];
  targets: Target[];
  /** What is worth knowing to read the figures: rivals that are not installed, limits of this machine. */
  notes: string[];
}

/** The report as text, to be read in a terminal of 110 columns. */
export function asText({ rows, targets, notes }: BenchReport): string {
  return [...table(rows), "", ...targets.map(figureSentence), "", ...notes].join("\n").trimEnd();
}

/** Every target is reached, missed, or was not measured; the sentence says which. */
export function figureSentence({ what, atLeast, atMost, ratio, why }: Target): string {
  const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  if (ratio === null) return `not measured: ${what} (${bound}): ${why ?? "its section was left out"}`;
  const reached = atLeast === undefined ? ratio <= atMost! : ratio >= atLeast;
  return `${reached ? "reached" : "NOT reached"}: ${what} ${short(ratio)} (${bound})`;
}

function table(rows: readonly FigureRow[]): string[] {
  const cells = rows.map(row => [
    row.ratio ? short(row.ratio.median) : row.against === "" ? "1" : "",
    row.ratio ? ends(row.ratio) : "",
    row.what,
    row.against === "" ? "" : `of ${row.against}`,
    `${short(row.figure.median)} ${row.unit}`,
    row.cpu ? `${short(row.cpu.median)} µs` : "",
  ]);
  const head = ["ratio", "min-max", "what", "against", "figure", "CPU/request"];
  const widths = head.map((name, i) => Math.max(name.length, ...cells.map(line => width(line[i]!))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => pad(cell, widths[i]!, i !== 2 && i !== 3))
      .join("  ")
      .trimEnd();
  const lines = [line(head)];
  let section = "";
  for (const [i, row] of rows.entries()) {
    if (row.section !== section) lines.push("", row.section);
    section = row.section;
    lines.push(line(cells[i]!));
  }
  return lines;
}

const width = (text: string) => [...text].length;
const pad = (text: string, to: number, right: boolean) =>
  right ? " ".repeat(to - width(text)) + text : text + " ".repeat(to - width(text));
const ends = ({ min, max }: Spread) => `${short(min)}-${short(max)}`;

/** Three digits that mean something. */
export function short(number: number): string {
  if (Math.abs(number) >= 1000) return Math.round(number).toLocaleString("en").replaceAll(",", " ");
  return number.toFixed(number >= 100 ? 0 : number >= 10 ? 1 : number >= 1 ? 2 : 3);
}
