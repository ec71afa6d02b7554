// TypeScript in its worker, as Monaco ships it, with our words for the two rules that surprise: a lab's types are
// erased in place and the rest runs as it stands, so what needs to be translated, or what looks imported but is
// only a type, is an error here, in the compiler and in the lab server alike.
import { initialize } from "monaco-editor/internal/common/initialize";
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

class LabWorker extends TypeScriptWorker {
  override async getSyntacticDiagnostics(file: string) {
    return inOurWords(await super.getSyntacticDiagnostics(file));
  }

  override async getSemanticDiagnostics(file: string) {
    return inOurWords(await super.getSemanticDiagnostics(file));
  }
}

self.onmessage = () => initialize((context, createData) => new LabWorker(context, createData));
