// Problem. A mistake in the book: a place and a sentence. A BookError lists all mistakes of one reading as
// file:line:column, so that an instructor mends them in one go and an editor can jump to them.

/** Where and what. `file` is a path from the folder that holds chapters/; line and column count from 1. */
export interface BookProblem {
  file: string;
  line: number;
  column: number;
  sentence: string;
}

/** Mistakes in chapters/. The message has one line for each: `file:line:column: sentence`. */
export class BookError extends Error {
  override name = "BookError";
  readonly problems: BookProblem[];

  constructor(problems: BookProblem[]) {
    super(problemLines(problems));
    this.problems = problems;
  }
}

/** One line for each: `file:line:column: sentence`. */
export function problemLines(problems: readonly BookProblem[]): string {
  return problems.map(p => `${p.file}:${p.line}:${p.column}: ${p.sentence}`).join("\n");
}

/** Line and column (from 1) of an offset in a text. */
export function place(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}
