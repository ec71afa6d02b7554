// Prints the book: reads chapters/, compiles every lesson, and keeps the last state that was whole. After a
// mistake the page goes on with that, and the mistakes are told.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { BookError, type Problem } from "../../server-labs/book/problem.ts";
import { type Book, type Lesson, readBook } from "../../server-labs/book.ts";
import { anchorsOf, compileLesson } from "./compile.ts";
import type { BookData, LessonContent, LessonMeta } from "./content.ts";
import { type Highlight, loadHighlight } from "./highlight.ts";
import { compileMarkdown } from "./markdown.ts";
import { Page } from "./page.ts";

/** What a printing changed. `book` is null when the contents are what they were; `notes` are no mistakes. */
export interface Printed {
  book: BookData | null;
  lessons: LessonContent[];
  problems: Problem[];
  notes: Problem[];
}

export class Press {
  readonly chaptersFolder: string;
  /** The last whole contents, and lessons; what there is of them if there was never a whole one. */
  book: BookData = { chapters: [] };
  readonly lessons = new Map<string, LessonContent>();
  readonly #printed = new Map<string, string>();

  constructor(chaptersFolder: string) {
    this.chaptersFolder = chaptersFolder;
  }

  /** Reads and compiles everything anew. */
  async print(): Promise<Printed> {
    const highlight = await loadHighlight();
    let book: Book;
    try {
      book = readBook(this.chaptersFolder);
    } catch (error) {
      if (error instanceof BookError) return { book: null, lessons: [], problems: error.problems, notes: [] };
      throw error;
    }
    const problems: Problem[] = [];
    const notes: Problem[] = [];
    const lessons: LessonContent[] = [];
    for (const lesson of book.lessons) {
      const compiled = compileLesson(lesson, book, highlight);
      problems.push(...compiled.problems);
      notes.push(...compiled.notes);
      const whole = compiled.problems.length === 0;
      if (!whole && this.lessons.has(lesson.id)) continue;
      this.lessons.set(lesson.id, compiled.content);
      if (this.#isNew(lesson.id, compiled.content)) lessons.push(compiled.content);
    }
    const contents = contentsOf(book, highlight, problems);
    if (!this.#isNew("", contents)) return { book: null, lessons, problems, notes };
    this.book = contents;
    return { book: contents, lessons, problems, notes };
  }

  #isNew(key: string, value: unknown): boolean {
    const text = JSON.stringify(value);
    if (this.#printed.get(key) === text) return false;
    this.#printed.set(key, text);
    return true;
  }
}

function contentsOf(book: Book, highlight: Highlight, problems: Problem[]): BookData {
  const anchors = (id: string) => anchorsOf(book.lessons.find(l => l.id === id)!);
  const chapters = book.chapters.map(({ id, number, title, summary, file, lessons }) => {
    const page = new Page(file, readFileSync(file, "utf8"), dirname(book.folder), null);
    const intro = compileMarkdown(page, { book, highlight, anchors });
    problems.push(...page.problems);
    const metas = lessons.map(lesson => metaOf(lesson, { id, number, title }, book));
    return { id, number, title, summary, intro, lessons: metas };
  });
  return { chapters };
}

function metaOf(lesson: Lesson, chapter: LessonMeta["chapter"], book: Book): LessonMeta {
  const place = book.lessons.indexOf(lesson);
  const { id, title, summary, course, minutes, number, lab } = lesson;
  return {
    id,
    title,
    summary,
    ...(course === undefined ? {} : { course }),
    ...(minutes === undefined ? {} : { minutes }),
    chapter,
    number,
    lab: lab && { title: lab.title, summary: lab.summary, port: lab.port, checks: lab.checks },
    previous: book.lessons[place - 1]?.id ?? null,
    next: book.lessons[place + 1]?.id ?? null,
  };
}
