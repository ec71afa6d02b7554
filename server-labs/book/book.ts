// Book. Reads chapters/ into chapters, lessons and labs. The numbers of the folders give the order and are not part of an
// id. No file is compiled or run here; every mistake that was found is listed.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { LabId } from "../protocol.ts";
import { chapterFields, frontMatter, lessonFields } from "./front-matter.ts";
import { type DeclaredCheck, filesOf, type LabMemory, readLabFolder } from "./lab-folder.ts";
import { BookError, type BookProblem } from "./problem.ts";
import type { DeclaredRival } from "./rivals.ts";

export { BookError, type BookProblem } from "./problem.ts";

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
  /** Its server serves files: the student's folder has a copy of html/. */
  site: boolean;
  /** Its server speaks HTTP; else it reads lines. */
  http: boolean;
  chapter: { id: string; title: string; folder: string };
  /** The lesson's folder. */
  folder: string;
  /** What the student's workspace holds, and what it starts from. */
  files: { file: string; starter: string }[];
  solution: string;
  checksFile: string;
  checks: DeclaredCheck[];
  mutants: { file: string; caughtBy: string }[];
  /** The servers that the scoreboard sets beside the student's. */
  rivals: DeclaredRival[];
  /** An earlier lab whose checks are the first of `checks`; left out when all are its own. */
  passes?: Lab;
}

/** The files that declare the checks of a lab, in the order of its checks. */
export function checksFilesOf(lab: Pick<Lab, "checksFile" | "passes">): string[] {
  return [...(lab.passes ? checksFilesOf(lab.passes) : []), lab.checksFile];
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
  /** Its closing.md: the recap. */
  closing: ChapterPage | null;
  /** Its glossary.md. */
  glossary: ChapterPage | null;
}

/** A page of a chapter that is not a lesson. */
export interface ChapterPage {
  title: string;
  summary: string;
  file: string;
}

export interface Book {
  folder: string;
  chapters: Chapter[];
  /** Every lesson, in reading order. */
  lessons: Lesson[];
  labs: Lab[];
  lab(id: LabId): Lab | undefined;
}

/**
 * Reads the whole book.
 * @param chaptersFolder the folder chapters/
 * @throws BookError with every mistake in front matter, names, lab folders, check ids and mutants
 */
export function readBook(chaptersFolder: string): Book {
  const { book, problems } = surveyBook(chaptersFolder);
  if (problems.length > 0) throw new BookError(problems);
  return book;
}

/**
 * Reads what can be read of the book.
 * @param chaptersFolder the folder chapters/
 * @param memory the labs of the last reading: those that did not change are not read again
 * @returns the book without what cannot be read, and every mistake
 */
export function surveyBook(
  chaptersFolder: string,
  memory: LabMemory = new Map(),
): { book: Book; problems: BookProblem[] } {
  const folder = resolve(chaptersFolder);
  const problems: BookProblem[] = [];
  const report = (file: string, mistake: Omit<BookProblem, "file">) =>
    problems.push({ file: relative(dirname(folder), file), ...mistake });
  const chapters: Chapter[] = [];
  let previous: Lab | null = null;
  const earlier = (id: LabId) => chapters.flatMap(c => c.lessons).find(lesson => lesson.id === id)?.lab;

  for (const { path, number, name } of numbered(folder, report)) {
    const file = join(path, "chapter.md");
    const fields = fieldsOf(file, chapterFields, "chapter", report);
    if (!fields) continue;
    if (reserved.includes(name))
      report(path, { line: 1, column: 1, sentence: `"${name}" is the address of another page of the book.` });
    const pageIn = (base: string) => pageOf(join(path, `${base}.md`), base, report);
    const [closing, glossary] = [pageIn("closing"), pageIn("glossary")];
    const chapter: Chapter = {
      id: name,
      number,
      ...fields,
      folder: path,
      file,
      lessons: [],
      closing,
      glossary,
    };
    chapters.push(chapter);
    for (const entry of numbered(path, report)) {
      const lesson = readLesson(entry, chapter, { previous, earlier }, { report, memory });
      if (!lesson) continue;
      chapter.lessons.push(lesson);
      previous = lesson.lab ?? previous;
    }
  }
  if (chapters.length === 0 && problems.length === 0)
    report(folder, { line: 1, column: 1, sentence: "There is no chapter in this folder." });
  const lessons = chapters.flatMap(c => c.lessons);
  const labs = lessons.flatMap(l => l.lab ?? []);
  return { book: { folder, chapters, lessons, labs, lab: id => labs.find(l => l.id === id) }, problems };
}

type Report = (file: string, mistake: Omit<BookProblem, "file">) => void;
interface Entry {
  path: string;
  number: number;
  name: string;
}

/** Names that chapters or lessons cannot have, because other pages have these addresses. */
const reserved = ["reference", "closing", "glossary"];

function pageOf(file: string, noun: string, report: Report): ChapterPage | null {
  if (!existsSync(file)) return null;
  const fields = fieldsOf(file, chapterFields, noun, report);
  return fields && { ...fields, file };
}

function readLesson(
  entry: Entry,
  chapter: Chapter,
  { previous, earlier }: { previous: Lab | null; earlier: (id: LabId) => Lab | null | undefined },
  { report, memory }: { report: Report; memory: LabMemory },
): Lesson | null {
  const file = join(entry.path, "lesson.md");
  const fields = fieldsOf(file, lessonFields, "lesson", report);
  if (!fields) return null;
  const id = `${chapter.id}/${entry.name}`;
  if (reserved.includes(entry.name))
    report(entry.path, {
      line: 1,
      column: 1,
      sentence: `"${id}" is the address of another page of the book.`,
    });
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
  const passes = fieldsOfLab.passes === undefined ? undefined : earlier(fieldsOfLab.passes);
  if (!passes && fieldsOfLab.passes !== undefined) {
    const sentence = `No lab before this one is "${fieldsOfLab.passes}": "passes" names an earlier lab.`;
    report(file, { line: 1, column: 1, sentence });
  }
  const further = (passes?.checks ?? []).map(check => ({ from: passes!.id, ...check }));
  const found = readLabFolder(labFolder, report, memory, further);
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
    site: fieldsOfLab.site ?? false,
    http: fieldsOfLab.http ?? true,
    chapter: about,
    folder: entry.path,
    files: filesOf(starter),
    solution: found.solution,
    checksFile: found.checksFile,
    checks: [...further, ...found.checks],
    mutants: found.mutants,
    rivals: found.rivals,
    ...(passes && { passes }),
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
      sentence: `A ${noun}'s folder has a ${basename(file)}; this one does not.`,
    });
    return null;
  }
  return frontMatter(readFileSync(file, "utf8"), schema, noun, mistake => report(file, mistake));
}

/** The folders NN-name in a folder, in order. A folder with another name is a mistake, unless it starts with a dot. */
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
