// Place links. In a terminal, each place of the student's files is a link that leads to it in the editor.
import type { ILink, Terminal } from "@xterm/xterm";
import { placesIn, type SourcePlace } from "./places.ts";

/** Rows of one wrapped line that are looked at, before and behind: a line may have thousands. */
const mostRows = 12;

/** Makes the links. @param placed the lab and its files at this moment @param show called with the place that is clicked */
export function linkPlaces(
  terminal: Terminal,
  placed: () => { lab: string; files: readonly string[] },
  show: (place: SourcePlace) => void,
): void {
  terminal.registerLinkProvider({
    provideLinks(row, callback) {
      const { text, cells } = lineAround(terminal, row);
      const { lab, files } = placed();
      const links = placesIn(text, lab, files).map(
        ({ from, to, ...place }): ILink => ({
          range: { start: cells[from]!, end: cells[to - 1]! },
          text: text.slice(from, to),
          activate: () => show(place),
        }),
      );
      callback(links.length > 0 ? links : undefined);
    },
  });
}

/** The line that this row is a part of, and for each of its letters the cell that shows it, both counted from 1. */
function lineAround(terminal: Terminal, row: number): { text: string; cells: { x: number; y: number }[] } {
  const { active } = terminal.buffer;
  let first = row - 1;
  while (first > 0 && row - first <= mostRows && active.getLine(first)?.isWrapped) first--;
  let text = "";
  const cells: { x: number; y: number }[] = [];
  for (let y = first; y < first + 2 * mostRows; y++) {
    const line = active.getLine(y);
    if (!line || (y > first && !line.isWrapped)) break;
    for (let x = 0; x < line.length; x++) {
      const cell = line.getCell(x)!;
      if (cell.getWidth() === 0) continue;
      const letters = cell.getChars() || " ";
      text += letters;
      for (const _ of letters.split("")) cells.push({ x: x + 1, y: y + 1 });
    }
  }
  return { text, cells };
}
