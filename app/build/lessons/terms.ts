// Terms. What a glossary knows of each term.

export interface Term {
  term: string;
  zh: string;
  meaning: string;
  /** The id of the chapter whose glossary has it. */
  chapter: string;
  anchor: string;
}

/** Terms by their name in small letters; of several chapters, in reading order. */
export type Terms = ReadonlyMap<string, readonly Term[]>;
