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
  export class TypeScriptWorker {
    constructor(context: unknown, createData: unknown);
    getSyntacticDiagnostics(file: string): Promise<Diagnostic[]>;
    getSemanticDiagnostics(file: string): Promise<Diagnostic[]>;
  }
}

declare module "monaco-editor/internal/common/initialize" {
  export function initialize(create: (context: unknown, createData: unknown) => unknown): void;
}
