// Book compiler. Reads chapters/, compiles every lesson, and keeps the last state without mistakes: after a mistake the page
// goes on with that state and shows the mistakes.
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Root } from "mdast";
import {
  type Book,
  type BookProblem,
  fingerprintOf,
  type LabMemory,
  type Lesson,
  surveyBook,
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
import { type Compiled, compileLesson, contextOf, headingsOf } from "./compile.ts";
import { glossaryRoot } from "./glossary.ts";
import { loadHighlight } from "./highlight.ts";
import { type Context, compileMarkdown } from "./markdown.ts";
import { Page } from "./page.ts";
import { type CompiledText, TextMemory } from "./text-memory.ts";

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
  readonly #sent = new Map<string, string>();
  readonly #labs: LabMemory = new Map();
  readonly #memory: TextMemory;

  /**
   * @param chaptersFolder the folder chapters/
   * @param memory the texts that were compiled already
   */
  constructor(chaptersFolder: string, memory = new TextMemory(null, "")) {
    this.chaptersFolder = chaptersFolder;
    this.#memory = memory;
  }

  /** Reads the book, and compiles what has changed. A mistake holds up its own text only. */
  async compile(): Promise<Compilation> {
    const { book, problems } = surveyBook(this.chaptersFolder, this.#labs);
    const isRead = problems.length === 0;
    const context = contextOf(book, await loadHighlight());
    const notes: BookProblem[] = [];
    const texts: TextContent[] = [];
    const broken = new Set(book.lessons.filter(lesson => hasProblem(lesson, book, problems)));
    for (const lesson of book.lessons) {
      const compiled = this.#lesson(lesson, context);
      problems.push(...compiled.problems);
      notes.push(...compiled.notes);
      const whole = compiled.problems.length === 0 && !broken.has(lesson);
      if (!whole && this.lessons.has(lesson.id)) continue;
      this.lessons.set(lesson.id, compiled.content);
      if (this.#isNew(lesson.id, compiled.content)) texts.push(compiled.content);
    }
    for (const { content, problems: mistakes } of this.#otherTexts(context)) {
      problems.push(...mistakes);
      if (mistakes.length > 0 && this.texts.has(content.id)) continue;
      this.texts.set(content.id, content);
      if (this.#isNew(content.id, content)) texts.push(content);
    }
    const contents = contentsOf(context);
    // What could not be read is missing in these contents: the last ones have it.
    const keep = !isRead && this.book.chapters.length > 0;
    if (keep || !this.#isNew("", contents)) return { book: null, texts, problems, notes };
    this.book = contents;
    return { book: contents, texts, problems, notes };
  }

  #lesson(lesson: Lesson, context: Context): Compiled {
    const unrevised = fingerprintOf(join(context.book.folder, "unrevised.txt"));
    const sources = { paths: [lesson.folder], key: JSON.stringify(lesson) + unrevised };
    const compile = (noting: Context) => compileLesson(lesson, noting);
    return this.#memory.recall(lesson.id, sources, context, compile) as Compiled;
  }

  /** The reference, and of each chapter how it opens and closes, and its glossary. */
  #otherTexts(context: Context): CompiledText[] {
    const { book } = context;
    const text = (id: string, file: string, root?: (page: Page) => Root) =>
      this.#memory.recall(id, { paths: [file], key: "" }, context, noting =>
        compileText(id, file, noting, root),
      );
    const chapters = book.chapters.flatMap(({ id, file, closing, glossary }) => [
      text(id, file),
      ...(closing ? [text(`${id}/closing`, closing.file)] : []),
      ...(glossary ? [text(`${id}/glossary`, glossary.file, page => glossaryRoot(page, id))] : []),
    ]);
    const reference = this.#memory.recall(referenceId, { paths: [], key: "" }, context, compileReference);
    return [reference, ...chapters];
  }

  #isNew(key: string, value: unknown): boolean {
    const text = JSON.stringify(value);
    if (this.#sent.get(key) === text) return false;
    this.#sent.set(key, text);
    return true;
  }
}

function hasProblem(lesson: Lesson, book: Book, problems: readonly BookProblem[]): boolean {
  const folder = relative(dirname(book.folder), lesson.folder);
  return problems.some(({ file }) => file === folder || file.startsWith(`${folder}/`));
}

/** The page of workbook/net. */
function compileReference(context: Context): CompiledText {
  const page = new Page(context.book.folder, "", dirname(context.book.folder), null);
  const tree = compileMarkdown(page, context, { type: "root", children: referenceNodes() } as Root);
  const { problems, notes } = page;
  return { content: { id: referenceId, tree, headings: headingsOf(tree) }, problems, notes, files: [] };
}

/** A text of a chapter that is not a lesson. */
function compileText(id: string, file: string, context: Context, root?: (page: Page) => Root): CompiledText {
  const page = new Page(file, readFileSync(file, "utf8"), dirname(context.book.folder), null, id);
  const tree = compileMarkdown(page, context, root?.(page));
  for (const { at, sentence } of wordingOf(page.text)) page.reportAt(at, sentence);
  const { problems, notes, files } = page;
  return { content: { id, tree, headings: headingsOf(tree) }, problems, notes, files: [...files] };
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
      checks: lab.checks.map(({ id, title, group }) => ({ id, title, ...(group && { group }) })),
    },
  };
}
