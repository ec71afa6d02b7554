// Sentences. What a person reads, made from a code and its parameters, in one table for each language.
// The contract carries statements, never their sentences: a reader in another language, or a test, needs no parser.
import * as http from "./sentences/http.ts";
import * as kernel from "./sentences/kernel.ts";
import * as pace from "./sentences/pace.ts";
import * as process from "./sentences/process.ts";
import * as runs from "./sentences/runs.ts";
import type { ParametersOf, SentenceTable, StatementOf } from "./sentences/statement.ts";
import * as tasks from "./sentences/tasks.ts";
import * as visits from "./sentences/visits.ts";
import * as workspace from "./sentences/workspace.ts";
import { visible } from "./visible.ts";

const en = {
  ...http.en,
  ...kernel.en,
  ...pace.en,
  ...process.en,
  ...runs.en,
  ...tasks.en,
  ...visits.en,
  ...workspace.en,
};

type English = typeof en;
/** The code of a sentence. */
export type Code = keyof English;
/** A code with its parameters beside it: `{ code: "ended-by-signal", signal: "SIGSEGV" }`. */
export type Statement<C extends Code = Code> = StatementOf<Pick<English, C>>;

/** A language's table; a code that it lacks is read in English. */
export type Sentences = { [K in Code]?: (parameters: ParametersOf<English[K]>) => string };
export type Language = "en";
const languages: Record<Language, Sentences> = { en };

/**
 * The sentence that says a statement, in this language. A code from a newer lab server is shown as it is; a stranger's
 * words in it command neither a terminal nor a page.
 */
export function sentence(statement: Statement, language: Language = "en"): string {
  const table: Partial<SentenceTable> = languages[language];
  const write = table[statement.code] ?? (en as SentenceTable)[statement.code];
  return visible(write ? write(statement) : statement.code, "\n");
}

/** Every code that this table knows. */
export const codes: ReadonlySet<Code> = new Set(Object.keys(en) as Code[]);
