// Lab worker. Monaco's TypeScript worker, with clear sentences for two errors (syntax that needs more than erasing its
// types, and a type imported as a value: the compiler and the lab server refuse both, too), and with the names that a
// file may import.
import { type Diagnostic, TypeScriptWorker } from "monaco-editor/languages/features/typescript/tsWorker";

const sentences: Record<number, string> = {
  1294:
    "This is TypeScript that cannot simply be erased (an enum, a namespace, a parameter property): a lab's types are " +
    "taken out and the rest runs as it stands. Write a const object for an enum, a module for a namespace, and an " +
    "assignment in the constructor for a parameter property.",
  1484:
    "This name is only a type, and types are erased before the program runs, so at run time there would be nothing " +
    'to import. Write `import type { … }`, or put "type" before the name.',
};

const inOurWords = (diagnostics: Diagnostic[]) =>
  diagnostics.map(one => {
    const sentence = sentences[one.code];
    return sentence ? { ...one, messageText: sentence } : one;
  });

/** A name that a file may import, and does not. */
export interface ImportableName {
  name: string;
  /** TypeScript's word for what it is: "const", "class". */
  kind: string;
  /** "workbook/net" */
  source: string;
  sortText: string;
  /** For importOf. */
  data?: object | undefined;
}

/** The import of a name. */
export interface NameImport {
  /** Its declaration: "const SO_REUSEADDR: 2". */
  declaration: string;
  /** Its doc comment. */
  words: string;
  /** What to change in the file, by offsets. */
  edits: { start: number; length: number; text: string }[];
}

/** "js" asks for the ending that the compiler options want: ./greet.ts. */
const preferences = {
  includeCompletionsForModuleExports: true,
  includeCompletionsWithInsertText: true,
  importModuleSpecifierEnding: "js",
};
const format = { indentSize: 2, tabSize: 2, convertTabsToSpaces: true, semicolons: "insert" };

/** The modules of the package, and files beside this one. What lies behind a module's name is no module of a lab's. */
const offered = /^(workbook\/\w+|\.\/[^/]+)$/;

export class LabWorker extends TypeScriptWorker {
  /** A folder: with Monaco's empty name TypeScript fails as soon as it has to name a file beside this one. */
  override getCurrentDirectory() {
    return "/";
  }

  override async getSyntacticDiagnostics(file: string) {
    return inOurWords(await super.getSyntacticDiagnostics(file));
  }

  override async getSemanticDiagnostics(file: string) {
    return inOurWords(await super.getSemanticDiagnostics(file));
  }

  /** Without the imports from the package's inner files, which a lab cannot load. */
  override async getCodeFixesAtPosition(...place: Parameters<TypeScriptWorker["getCodeFixesAtPosition"]>) {
    const fixes = this._languageService.getCodeFixesAtPosition(...place, preferences);
    const isInner = (text: string) => /from "workbook\/[^"]*\//.test(text);
    return fixes.filter(
      ({ changes }) =>
        !changes.some(({ textChanges }) => textChanges.some(({ newText }) => isInner(newText))),
    );
  }

  /** The names that could be written at this place if they were imported. */
  async importableNames(file: string, offset: number): Promise<ImportableName[]> {
    const found = this._languageService.getCompletionsAtPosition(file, offset, preferences);
    return (found?.entries ?? []).flatMap(({ name, kind, source, sortText, data }) =>
      source !== undefined && offered.test(source) ? [{ name, kind, source, sortText, data }] : [],
    );
  }

  /** How one of them is imported; null when the file has changed meanwhile, and has no such name any more. */
  async importOf(
    file: string,
    offset: number,
    { name, source, data }: ImportableName,
  ): Promise<NameImport | null> {
    const details = this._languageService.getCompletionEntryDetails(
      file,
      offset,
      name,
      format,
      source,
      preferences,
      data,
    );
    if (!details) return null;
    const changes = details.codeActions?.[0]?.changes.find(({ fileName }) => fileName === file);
    const textOf = (parts: { text: string }[] = []) => parts.map(({ text }) => text).join("");
    return {
      declaration: textOf(details.displayParts),
      words: textOf(details.documentation),
      edits: (changes?.textChanges ?? []).map(({ span, newText }) => ({ ...span, text: newText })),
    };
  }
}
