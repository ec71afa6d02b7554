declare module "virtual:editor-types" {
  /** Declaration files by their address: file:///node_modules/… */
  const files: Record<string, string>;
  export default files;
}

declare module "monaco-editor/languages/features/typescript/tsWorker" {
  export interface Diagnostic {
    code: number;
    messageText: string | { messageText: string; code: number };
  }
  export interface Span {
    start: number;
    length: number;
  }
  export interface FileChanges {
    fileName: string;
    textChanges: { span: Span; newText: string }[];
  }
  export interface CodeFix {
    changes: FileChanges[];
  }
  export interface CompletionEntry {
    name: string;
    kind: string;
    sortText: string;
    source?: string;
    data?: object;
  }
  export interface DisplayPart {
    text: string;
  }
  export interface LanguageService {
    getCodeFixesAtPosition(
      file: string,
      start: number,
      end: number,
      errorCodes: number[],
      format: object,
      preferences: object,
    ): readonly CodeFix[];
    getCompletionsAtPosition(
      file: string,
      offset: number,
      preferences: object,
    ): { entries: CompletionEntry[] } | undefined;
    getCompletionEntryDetails(
      file: string,
      offset: number,
      name: string,
      format: object,
      source: string,
      preferences: object,
      data: object | undefined,
    ):
      | {
          displayParts: DisplayPart[];
          documentation?: DisplayPart[];
          codeActions?: { changes: FileChanges[] }[];
        }
      | undefined;
  }
  export class TypeScriptWorker {
    protected readonly _languageService: LanguageService;
    constructor(context: unknown, createData: unknown);
    getCurrentDirectory(): string;
    getCodeFixesAtPosition(
      file: string,
      start: number,
      end: number,
      errorCodes: number[],
      format: object,
    ): Promise<readonly CodeFix[]>;
    getSyntacticDiagnostics(file: string): Promise<Diagnostic[]>;
    getSemanticDiagnostics(file: string): Promise<Diagnostic[]>;
  }
}

declare module "monaco-editor/internal/common/initialize" {
  export function initialize(create: (context: unknown, createData: unknown) => unknown): void;
}
