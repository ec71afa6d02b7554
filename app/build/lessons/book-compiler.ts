// Book compiler. Reads chapters/, compiles every lesson, and keeps the last state without mistakes: after a mistake the page
// goes on with that state and shows the mistakes.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Root } from "mdast";
import {
  type Book,
  BookError,
  type BookProblem,
  type Lesson,
  readBook,
  wordingOf,
} from "../../../server-labs/book.ts";
import {
  type BookData,
  type LessonContent,
  type LessonMeta,
  referenceId,
  type TextContent,
} from "../../lesson-content.ts";
import { referenceNodes } from "./call-card.ts";
import { compileLesson, contextOf, headingsOf } from "./compile.ts";
import { glossaryRoot } from "./glossary.ts";
import { loadHighlight } from "./highlight.ts";
import { type Context, compileMarkdown } from "./markdown.ts";
import { Page } from "./page.ts";

/** What a compilation changed. `book` is null when the contents are the same; `notes` are not mistakes. */
export interface Compilation {
  book: BookData | null;
  /** Lessons and other texts. */
  texts: TextContent[];
  problems: BookProblem[];
  notes: BookProblem[];
}

export class BookCompiler {
  readonly chaptersFolder: string;
  /** The last contents and lessons without mistakes; with mistakes when there were never any without. */
  book: BookData = { chapters: [] };
  readonly lessons = new Map<string, LessonContent>();
  /** The texts that are not lessons. */
  readonly texts = new Map<string, TextContent>();
  readonly #compiled = new Map<string, string>();

  constructor(chaptersFolder: string) {
    this.chaptersFolder = chaptersFolder;
  }

  /** Reads and compiles everything anew. */
  async compile(): Promise<Compilation> {
    const highlight = await loadHighlight();
    let book: Book;
    try {
      book = readBook(this.chaptersFolder);
    } catch (error) {
      if (error instanceof BookError) return { book: null, texts: [], problems: error.problems, notes: [] };
      throw error;
    }
    const context = contextOf(book, highlight);
    const problems: BookProblem[] = [];
    const notes: BookProblem[] = [];
    const texts: TextContent[] = [];
    for (const lesson of book.lessons) {
      const compiled = compileLesson(lesson, context);
      problems.push(...compiled.problems);
      notes.push(...compiled.notes);
      const whole = compiled.problems.length === 0;
      if (!whole && this.lessons.has(lesson.id)) continue;
      this.lessons.set(lesson.id, compiled.content);
      if (this.#isNew(lesson.id, compiled.content)) texts.push(compiled.content);
    }
    for (const text of [referenceOf(context, problems), ...chapterTexts(context, problems)]) {
      this.texts.set(text.id, text);
      if (this.#isNew(text.id, text)) texts.push(text);
    }
    const contents = contentsOf(context);
    if (!this.#isNew("", contents)) return { book: null, texts, problems, notes };
    this.book = contents;
    return { book: contents, texts, problems, notes };
  }

  #isNew(key: string, value: unknown): boolean {
    const text = JSON.stringify(value);
    if (this.#compiled.get(key) === text) return false;
    this.#compiled.set(key, text);
    return true;
  }
}

/** The page of workbook/net. */
function referenceOf(context: Context, problems: BookProblem[]): TextContent {
  const page = new Page(context.book.folder, "", dirname(context.book.folder), null);
  const root = { type: "root", children: referenceNodes() } as Root;
  const tree = compileMarkdown(page, context, root);
  problems.push(...page.problems);
  return { id: referenceId, tree, headings: headingsOf(tree) };
}

/** The texts of the chapters that are not lessons: how each opens and closes, and its glossary. */
function chapterTexts(context: Context, problems: BookProblem[]): TextContent[] {
  const { book } = context;
  const textOf = (id: string, file: string, root?: (page: Page) => Root): TextContent => {
    const page = new Page(file, readFileSync(file, "utf8"), dirname(book.folder), null, id);
    const tree = compileMarkdown(page, context, root?.(page));
    for (const { at, sentence } of wordingOf(page.text)) page.reportAt(at, sentence);
    problems.push(...page.problems);
    return { id, tree, headings: headingsOf(tree) };
  };
  return book.chapters.flatMap(({ id, file, closing, glossary }) => [
    textOf(id, file),
    ...(closing ? [textOf(`${id}/closing`, closing.file)] : []),
    ...(glossary ? [textOf(`${id}/glossary`, glossary.file, page => glossaryRoot(page, id))] : []),
  ]);
}

function contentsOf({ book }: Context): BookData {
  const chapters = book.chapters.map(({ id, number, title, summary, lessons, closing, glossary }) => {
    const metas = lessons.map(lesson => metaOf(lesson, { id, number, title }));
    const head = (page: typeof closing) => page && { title: page.title, summary: page.summary };
    return { id, number, title, summary, lessons: metas, closing: head(closing), glossary: head(glossary) };
  });
  return { chapters };
}

function metaOf(lesson: Lesson, chapter: LessonMeta["chapter"]): LessonMeta {
  const { id, title, summary, course, minutes, number, lab } = lesson;
  return {
    id,
    title,
    summary,
    ...(course === undefined ? {} : { course }),
    ...(minutes === undefined ? {} : { minutes }),
    chapter,
    number,
    lab: lab && {
      title: lab.title,
      summary: lab.summary,
      port: lab.port,
      http: lab.http,
      checks: lab.checks.map(({ id, title }) => ({ id, title })),
    },
  };
}
