// Lesson scaffold. The example of chapters/REFERENCE.md under another name and with a port of its own. Only that file has
// the text of the example, so the reference and a new lesson cannot differ.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { suggestion } from "../../protocol.ts";
import { type Book, readBook } from "../book.ts";

/** The first port of the book's labs. */
const firstPort = 7881;

/** The command line asks for a lesson that cannot be made. The message is a sentence with the next step. */
export class Misuse extends Error {}

export interface NewLesson {
  /** "<chapter>/<name>" */
  id: string;
  /** The lesson's number in its chapter; one more than the last when left out. */
  at?: number;
  lab: boolean;
}

/** Files of a lesson: paths within its folder, and texts. */
type Files = Map<string, string>;

/**
 * Writes the files of a new lesson, and reads the book again with it.
 * @param reference the text of chapters/REFERENCE.md
 * @returns the lesson's folder, and its lab's port
 * @throws Misuse for a wrong name, number or chapter; BookError when the book has mistakes already
 */
export function scaffoldLesson(
  chapters: string,
  { id, at, lab }: NewLesson,
  reference: string,
): { folder: string; port: number | null } {
  const book = readBook(chapters);
  const { chapter, name } = placeOf(book, id);
  const numbers = chapter.lessons.map(lesson => lesson.number);
  const number = at ?? Math.max(0, ...numbers) + 1;
  if (!Number.isInteger(number) || number < 1 || number > 99)
    throw new Misuse(`A lesson's number is a whole number from 1 to 99, not ${number}.`);
  const there = chapter.lessons.find(lesson => lesson.number === number);
  if (there)
    throw new Misuse(`Number ${number} is ${there.id}. Rename its folder first, or choose another number.`);

  const port = lab ? nextPort(book) : null;
  const whole = filesIn(reference);
  const files = port === null ? withoutLab(whole) : whole;
  const folder = join(chapter.folder, `${String(number).padStart(2, "0")}-${name}`);
  if (existsSync(folder)) throw new Misuse(`${shown(folder)} already exists. Choose another name.`);
  try {
    for (const [path, text] of files) write(join(folder, path), named(text, name, port));
    readBook(chapters);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { folder, port };
}

function placeOf(book: Book, id: string) {
  const [chapterId = "", name = "", ...more] = id.split("/");
  if (more.length > 0 || !/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    const example = `${book.chapters[0]!.id}/partial-sends`;
    throw new Misuse(
      `"${id}" is not a name for a lesson. A name is <chapter>/<name> in small letters, digits and hyphens, like ${example}.`,
    );
  }
  const ids = book.chapters.map(chapter => chapter.id);
  const chapter = book.chapters.find(one => one.id === chapterId);
  if (!chapter)
    throw new Misuse(`There is no chapter "${chapterId}".${suggestion(chapterId, ids, "chapters")}`);
  const there = chapter.lessons.find(lesson => lesson.id === id);
  if (there)
    throw new Misuse(`There is already a lesson ${id}: ${shown(there.folder)}. Choose another name.`);
  return { chapter, name };
}

/** The port after the last that a lab of the book has; the gaps only when that is used up. */
function nextPort(book: Book): number {
  const taken = new Set(book.labs.map(lab => lab.port));
  let port = Math.max(firstPort - 1, ...taken) + 1;
  while (taken.has(port) || port > 65_535) port = port > 65_535 ? firstPort : port + 1;
  return port;
}

/** The files that the section "A whole lesson" shows: each is a fence with its path as title. */
function filesIn(reference: string): Files {
  const [, section = ""] = reference.split(/^## A whole lesson$/m);
  const fence = /^(`{3,})\w+ title="([^"]+)"\n([\s\S]*?)^\1$/gm;
  const files = [...section.matchAll(fence)].map(([, , path, text]) => [path!, text!] as const);
  if (!files.some(([path]) => path === "lesson.md"))
    throw new Error('chapters/REFERENCE.md shows no lesson.md below "## A whole lesson".');
  return new Map(files);
}

/** The same lesson without its lab: without the fields of the lab and the sections about it. */
function withoutLab(files: Files): Files {
  const [first = "", ...sections] = files.get("lesson.md")!.split(/^(?=## )/m);
  const ofLab = /\{port\}|^:::lab|^::lab|^::we-test|^::walkthrough|:check\[|:pane\[|include="/m;
  const prose = sections.filter(section => !ofLab.test(section));
  const text = [first.replace(/^lab:\n(?: .*\n)+/m, ""), ...prose].join("").trimEnd();
  const others = [...files].filter(([path]) => path !== "lesson.md" && !path.startsWith("lab/"));
  return new Map([...others, ["lesson.md", `${text}\n`]]);
}

/** With the new lesson's title and port where the reference has those of its own. */
function named(text: string, name: string, port: number | null): string {
  const words = name.replaceAll("-", " ");
  const title = text.replace(/^title: .*$/m, `title: "${words.charAt(0).toUpperCase()}${words.slice(1)}"`);
  return port === null ? title : title.replaceAll("7901", String(port));
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** chapters/…, as one would type it. */
const shown = (folder: string) => relative(dirname(dirname(dirname(folder))), folder) || basename(folder);

/** The text of the reference that lies in the workbook's own chapters/. */
export const referenceOf = (packageRoot: string) =>
  readFileSync(join(packageRoot, "chapters", "REFERENCE.md"), "utf8");
