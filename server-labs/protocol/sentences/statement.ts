// Statement. A code with its parameters beside it, and the table of one language that makes a sentence of it.

/** Code → the function that writes its sentence from its parameters. */
// biome-ignore lint/suspicious/noExplicitAny: a table's functions have parameters of their own.
export type SentenceTable = Record<string, (parameters: any) => string>;

export type ParametersOf<Write> = Write extends (parameters: infer P) => string ? P : unknown;

/** A statement of a table: `{ code: "ended-by-signal", signal: "SIGSEGV" }`. */
export type StatementOf<T extends SentenceTable> = {
  [K in keyof T & string]: { code: K } & ParametersOf<T[K]>;
}[keyof T & string];

/** The sentence of a statement that is a parameter of another one, in the language of this table. */
export function writeStatement<T extends SentenceTable>(table: T, statement: StatementOf<T>): string {
  // A newer lab server may know more codes than this table.
  return table[statement.code]?.(statement) ?? statement.code;
}
