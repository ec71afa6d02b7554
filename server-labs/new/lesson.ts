// A new lesson: the whole one that chapters/README.md shows to instructors, under another name and with a port of its
// own. The README is the only place where it is written, so what it shows and what is laid down cannot differ.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { suggestion } from "../book/problem.ts";
import { type Book, readBook } from "../book.ts";

/** The first port of the book's labs. */
const firstPort = 7881;

/** Something was asked for that cannot be: the sentence is all that a person needs. */
export class Misuse extends Error {}

export interface Wish {
  /** "<chapter>/<name>" */
  id: string;
  /** The lesson's number in its chapter; behind the last unless told. */
  at?: number;
  lab: boolean;
}

/** Files of a lesson: paths within its folder, and texts. */
type Files = Map<string, string>;

/**
 * Lays down a lesson, and reads the book again with it.
 * @param readme the text of chapters/README.md
 * @returns the lesson's folder, and its lab's port
 * @throws Misuse for a name, a number or a chapter that cannot be; BookError when the book has mistakes already
 */
export function layDown(
  chapters: string,
  wish: Wish,
  readme: string,
): { folder: string; port: number | null } {
  const book = readBook(chapters);
  const { chapter, name } = placeOf(book, wish.id);
  const numbers = chapter.lessons.map(lesson => lesson.number);
  const number = wish.at ?? Math.max(0, ...numbers) + 1;
  if (!Number.isInteger(number) || number < 1 || number > 99)
    throw new Misuse(`A lesson's number is one from 1 to 99, and ${wish.at ?? number} is none.`);
  const there = chapter.lessons.find(lesson => lesson.number === number);
  if (there)
    throw new Misuse(`Number ${number} is ${there.id}. Rename its folder first, or choose another number.`);

  const port = wish.lab ? freePort(book) : null;
  const whole = filesIn(readme);
  const files = port === null ? withoutLab(whole) : whole;
  const folder = join(chapter.folder, `${String(number).padStart(2, "0")}-${name}`);
  if (existsSync(folder)) throw new Misuse(`${shown(folder)} is there already.`);
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
      `"${id}" is no name for a lesson: it is <chapter>/<name> in small letters, digits and hyphens, like ${example}.`,
    );
  }
  const ids = book.chapters.map(chapter => chapter.id);
  const chapter = book.chapters.find(one => one.id === chapterId);
  if (!chapter)
    throw new Misuse(`There is no chapter "${chapterId}".${suggestion(chapterId, ids, "chapters")}`);
  const there = chapter.lessons.find(lesson => lesson.id === id);
  if (there) throw new Misuse(`There is a lesson ${id}: ${shown(there.folder)}.`);
  return { chapter, name };
}

function freePort(book: Book): number {
  const taken = new Set(book.labs.map(lab => lab.port));
  let port = Math.max(firstPort - 1, ...taken) + 1;
  while (taken.has(port) || port > 65_535) port = port > 65_535 ? firstPort : port + 1;
  return port;
}

/** The files that the section "A whole lesson" shows: each is a fence with its path as title. */
function filesIn(readme: string): Files {
  const [, section = ""] = readme.split(/^## A whole lesson$/m);
  const fence = /^(`{3,})\w+ title="([^"]+)"\n([\s\S]*?)^\1$/gm;
  const files = [...section.matchAll(fence)].map(([, , path, text]) => [path!, text!] as const);
  if (!files.some(([path]) => path === "lesson.md"))
    throw new Error('chapters/README.md shows no lesson.md below "## A whole lesson".');
  return new Map(files);
}

/** The same lesson as prose only: without the fields of the lab, and the sections that speak of it. */
function withoutLab(files: Files): Files {
  const [first = "", ...sections] = files.get("lesson.md")!.split(/^(?=## )/m);
  const ofLab = /\{port\}|^:::lab|^::lab|:check\[|:pane\[|include="/m;
  const prose = sections.filter(section => !ofLab.test(section));
  const text = [first.replace(/^lab:\n(?: .*\n)+/m, ""), ...prose].join("").trimEnd();
  const others = [...files].filter(([path]) => path !== "lesson.md" && !path.startsWith("lab/"));
  return new Map([...others, ["lesson.md", `${text}\n`]]);
}

/** With the new lesson's title and port where the README has those of its own. */
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

/** The text of the README that lies in the workbook's own chapters/. */
export const readmeOf = (packageRoot: string) =>
  readFileSync(join(packageRoot, "chapters", "README.md"), "utf8");
