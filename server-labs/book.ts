// The book, as Node sees it: chapters/ read into chapters, lessons and labs. Folder numbers give the order
// and are no part of an id. Nothing is compiled or run here; every mistake found is told at once (BookError).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { chapterFields, frontMatter, lessonFields } from "./book/front-matter.ts";
import { readLabFolder } from "./book/lab-folder.ts";
import { BookError, type Problem } from "./book/problem.ts";
import type { LabId } from "./protocol.ts";

export { BookError, type Problem } from "./book/problem.ts";

/** The exercise of a lesson. All paths are absolute. */
export interface Lab {
  id: LabId;
  title: string;
  summary: string;
  /** Section of the course that the lesson comes from. */
  course?: string;
  port: number;
  /** File descriptors that its program may hold, where the usual limit is not enough. */
  descriptors?: number;
  chapter: { id: string; title: string; folder: string };
  /** The lesson's folder. */
  folder: string;
  /** What the student's workspace holds, and what it starts from. */
  files: { file: string; starter: string }[];
  solution: string;
  checksFile: string;
  checks: { id: string; title: string }[];
  mutants: { file: string; caughtBy: string }[];
}

export interface Lesson {
  /** "<chapter>/<lesson>", which is also its address in the page. */
  id: string;
  title: string;
  summary: string;
  course?: string;
  /** How long it takes, lab included. */
  minutes?: number;
  chapter: { id: string; title: string; folder: string };
  /** From the folder's name: lesson 2 of its chapter. */
  number: number;
  folder: string;
  /** Its lesson.md. */
  file: string;
  lab: Lab | null;
}

export interface Chapter {
  id: string;
  number: number;
  title: string;
  summary: string;
  folder: string;
  /** Its chapter.md. */
  file: string;
  lessons: Lesson[];
}

export interface Book {
  folder: string;
  chapters: Chapter[];
  /** Every lesson, in reading order. */
  lessons: Lesson[];
  labs: Lab[];
  lab(id: LabId): Lab | undefined;
}

/** The one file of a lab that a student edits. */
export const labFile = "server.ts";

/**
 * Reads the whole book.
 * @param chaptersFolder the folder chapters/
 * @throws BookError with every mistake in front matter, names, lab folders, check ids and mutants
 */
export function readBook(chaptersFolder: string): Book {
  const folder = resolve(chaptersFolder);
  const problems: Problem[] = [];
  const report = (file: string, mistake: Omit<Problem, "file">) =>
    problems.push({ file: relative(dirname(folder), file), ...mistake });
  const chapters: Chapter[] = [];
  let previous: Lab | null = null;

  for (const { path, number, name } of numbered(folder, report)) {
    const file = join(path, "chapter.md");
    const fields = fieldsOf(file, chapterFields, "chapter", report);
    if (!fields) continue;
    const chapter: Chapter = { id: name, number, ...fields, folder: path, file, lessons: [] };
    chapters.push(chapter);
    for (const entry of numbered(path, report)) {
      const lesson = readLesson(entry, chapter, previous, report);
      if (!lesson) continue;
      chapter.lessons.push(lesson);
      previous = lesson.lab ?? previous;
    }
  }
  if (chapters.length === 0 && problems.length === 0)
    report(folder, { line: 1, column: 1, sentence: "There is no chapter in here." });
  if (problems.length > 0) throw new BookError(problems);
  const lessons = chapters.flatMap(c => c.lessons);
  const labs = lessons.flatMap(l => l.lab ?? []);
  return { folder, chapters, lessons, labs, lab: id => labs.find(l => l.id === id) };
}

type Report = (file: string, mistake: Omit<Problem, "file">) => void;
interface Entry {
  path: string;
  number: number;
  name: string;
}

function readLesson(entry: Entry, chapter: Chapter, previous: Lab | null, report: Report): Lesson | null {
  const file = join(entry.path, "lesson.md");
  const fields = fieldsOf(file, lessonFields, "lesson", report);
  if (!fields) return null;
  const id = `${chapter.id}/${entry.name}`;
  if (fields.id !== undefined && fields.id !== id) {
    const sentence = `The folders say that this lesson is "${id}", not "${fields.id}".`;
    report(file, { line: 1, column: 1, sentence });
  }
  const { lab: fieldsOfLab, id: _said, ...rest } = fields;
  const about = { id: chapter.id, title: chapter.title, folder: chapter.folder };
  const lesson = { ...rest, id, chapter: about, number: entry.number, folder: entry.path, file, lab: null };
  const labFolder = join(entry.path, "lab");
  if (!fieldsOfLab) {
    const sentence = `There is a lab/ beside this lesson, but no "lab:" with its port in the fields.`;
    if (existsSync(labFolder)) report(file, { line: 1, column: 1, sentence });
    return lesson;
  }
  const found = readLabFolder(labFolder, report);
  if (!found) return lesson;
  const starter = found.starter ?? previous?.solution;
  if (!starter) {
    const sentence =
      "A lab begins with its starter.ts, or with the solution before it; this one has neither.";
    report(join(labFolder, "starter.ts"), { line: 1, column: 1, sentence });
    return lesson;
  }
  const lab: Lab = {
    id,
    title: fieldsOfLab.title ?? lesson.title,
    summary: fieldsOfLab.summary ?? lesson.summary,
    ...(lesson.course === undefined ? {} : { course: lesson.course }),
    port: fieldsOfLab.port,
    ...(fieldsOfLab.descriptors === undefined ? {} : { descriptors: fieldsOfLab.descriptors }),
    chapter: about,
    folder: entry.path,
    files: [{ file: labFile, starter }],
    solution: found.solution,
    checksFile: found.checksFile,
    checks: found.checks,
    mutants: found.mutants,
  };
  return { ...lesson, lab };
}

function fieldsOf<S extends typeof chapterFields | typeof lessonFields>(
  file: string,
  schema: S,
  noun: string,
  report: Report,
) {
  if (!existsSync(file)) {
    report(file, {
      line: 1,
      column: 1,
      sentence: `A ${noun}'s folder has a ${basename(file)}; here is none.`,
    });
    return null;
  }
  return frontMatter(readFileSync(file, "utf8"), schema, noun, mistake => report(file, mistake));
}

/** The folders NN-name in a folder, in order. Others are a mistake, unless they are known or start with a dot. */
function numbered(folder: string, report: Report): Entry[] {
  if (!existsSync(folder)) {
    report(folder, { line: 1, column: 1, sentence: "This folder does not exist." });
    return [];
  }
  const found: Entry[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const match = /^(\d{2})-([a-z0-9][a-z0-9-]*)$/.exec(entry.name);
    const twin = match && found.find(f => f.number === Number(match[1]) || f.name === match[2]);
    if (!match) report(path, { line: 1, column: 1, sentence: `A folder here is named "07-some-name".` });
    else if (twin)
      report(path, { line: 1, column: 1, sentence: `${basename(twin.path)} has this number or name too.` });
    else found.push({ path, number: Number(match[1]), name: match[2]! });
  }
  return found.sort((a, b) => a.number - b.number);
}
