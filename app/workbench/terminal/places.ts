// Places. Lines of a student's files that an output names, as a stack trace does: "server.ts:21:48".

export interface SourcePlace {
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

/** A place with the part of the text that names it. */
export interface NamedPlace extends SourcePlace {
  from: number;
  to: number;
}

const position = /:(\d{1,7})(?::(\d{1,7}))?/y;
/** Longer paths are not looked at: a line without a space may have a million letters. */
const mostPath = 512;
/** Letters of a line that a trace may begin in. */
const mostLine = 2048;

/**
 * The places in a text, in its order.
 * @param lab the lab's id, with which the path of its folder ends
 * @param files the names of the lab's files
 */
export function placesIn(text: string, lab: string, files: readonly string[]): NamedPlace[] {
  return files.flatMap(file => placesOf(text, lab, file)).sort((a, b) => a.from - b.from);
}

function placesOf(text: string, lab: string, file: string): NamedPlace[] {
  const places: NamedPlace[] = [];
  const name = `${file}:`;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + name.length)) {
    position.lastIndex = at + file.length;
    const [whole, line, column = "1"] = position.exec(text) ?? [];
    if (whole === undefined) continue;
    const folder = folderBefore(text, at);
    if (folder !== "" && folder !== "./" && !folder.endsWith(`/${lab}/`)) continue;
    const to = at + file.length + whole.length;
    places.push({ file, line: Number(line), column: Number(column), from: at - folder.length, to });
  }
  return places;
}

/** The path that ends here. A loop, as an expression that looks back would look at each letter many times. */
function folderBefore(text: string, end: number): string {
  let from = end;
  while (from > 0 && end - from < mostPath && !/[\s()[\]'"<>]/.test(text[from - 1]!)) from--;
  return text.slice(from, end);
}

/** Letters from the end of a text that are looked at for the newest trace. */
const mostText = 256 * 1024;
/** Lines of one trace that are looked at, and lines that name a file of the lab and may be one's last. */
const mostOfTrace = 100;
const mostTries = 100;

/** The place of the newest stack trace: the first of the last lines, one below the other, that each name one. */
export function newestPlace(text: string, lab: string, files: readonly string[]): SourcePlace | null {
  if (text.length > mostText) return newestPlace(text.slice(-mostText), lab, files);
  const ends = new LastNames(text, files);
  for (let tries = 0, before = text.length; tries < mostTries; tries++) {
    const at = ends.before(before);
    if (at < 0) return null;
    let start = text.lastIndexOf("\n", at) + 1;
    let first = placeOfLine(text, start, lab, files);
    if (first === null) {
      before = start;
      continue;
    }
    for (let lines = 1; lines < mostOfTrace && start > 0; lines++) {
      start = text.lastIndexOf("\n", start - 2) + 1;
      const above = placeOfLine(text, start, lab, files);
      if (above === null) break;
      first = above;
    }
    return { file: first.file, line: first.line, column: first.column };
  }
  return null;
}

/** The first place that the line from this start on names. */
function placeOfLine(text: string, start: number, lab: string, files: readonly string[]): NamedPlace | null {
  const end = text.indexOf("\n", start);
  const line = text.slice(start, Math.min(end < 0 ? text.length : end, start + mostLine));
  return placesIn(line, lab, files)[0] ?? null;
}

/** Where a text names files, from its end: each letter is looked at once for each file, however often it is asked. */
class LastNames {
  readonly #text: string;
  #found: { name: string; at: number }[];

  constructor(text: string, files: readonly string[]) {
    this.#text = text;
    const names = files.map(file => `${file}:`).filter(name => text.includes(name));
    this.#found = names.map(name => ({ name, at: text.lastIndexOf(name) }));
  }

  /** The last place before this one where a file is named; -1 for none. */
  before(end: number): number {
    this.#found = this.#found
      .map(({ name, at }) => ({
        name,
        at: at < end ? at : end === 0 ? -1 : this.#text.lastIndexOf(name, end - 1),
      }))
      .filter(({ at }) => at >= 0);
    return Math.max(-1, ...this.#found.map(({ at }) => at));
  }
}
