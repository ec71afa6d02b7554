// Live book. The book of a lab server that goes on while authors change chapters/: refresh() reads it again. A mistake takes
// away what it makes unreadable, and nothing else.
import { existsSync } from "node:fs";
import { type Book, type Chapter, type Lab, type Lesson, surveyBook } from "./book.ts";
import type { LabMemory } from "./lab-folder.ts";
import type { BookProblem } from "./problem.ts";

export class LiveBook implements Book {
  readonly folder: string;
  readonly #memory: LabMemory = new Map();
  #book: Book;
  /** The mistakes of the last reading. */
  problems: BookProblem[];

  /** @param chaptersFolder the folder chapters/ */
  constructor(chaptersFolder: string) {
    const { book, problems } = surveyBook(chaptersFolder, this.#memory);
    this.folder = book.folder;
    this.#book = book;
    this.problems = problems;
  }

  /** Reads chapters/ again. A lab that can no longer be read stays as it was: a student may be working on it. */
  refresh(): void {
    const { book, problems } = surveyBook(this.folder, this.#memory);
    const lost = this.#book.labs.filter(({ id, folder }) => !book.lab(id) && existsSync(folder));
    const labs = [...book.labs, ...lost];
    this.#book = { ...book, labs, lab: id => labs.find(lab => lab.id === id) };
    this.problems = problems;
  }

  get chapters(): Chapter[] {
    return this.#book.chapters;
  }

  get lessons(): Lesson[] {
    return this.#book.lessons;
  }

  get labs(): Lab[] {
    return this.#book.labs;
  }

  lab(id: string): Lab | undefined {
    return this.#book.lab(id);
  }
}
