// Book. The chapters as Node reads them: lessons, labs, hints, mutants, and the mistakes in them with file:line:column.
export {
  type Book,
  BookError,
  type Chapter,
  checksFilesOf,
  type Lab,
  type Lesson,
  readBook,
  surveyBook,
} from "./book/book.ts";
export { commandWithoutLimit, limitAdvice } from "./book/commands.ts";
export { fingerprintOf } from "./book/fingerprint.ts";
export { furtherHintsOf, type HintsFile, hintsOf, type Rung } from "./book/hints.ts";
export { type LabMemory, labFile, programIn } from "./book/lab-folder.ts";
export { LiveBook } from "./book/live-book.ts";
export { applyDiff } from "./book/mutant.ts";
export { type BookProblem, place, problemLines } from "./book/problem.ts";
export type { DeclaredRival } from "./book/rivals.ts";
export { mark, starterBytes, withoutMarks } from "./book/starter.ts";
export { wordingOf, wordingProblems } from "./book/wording.ts";
