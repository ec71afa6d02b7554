// Imports. Completion of the names that a lab's file does not import yet: taking one imports it. Monaco's own completion
// knows only the names that the file has.
import * as monaco from "monaco-editor/editor/editor.api";
import * as typescript from "monaco-editor/languages/features/typescript/register";
import type { ImportableName, LabWorker } from "./lab-worker.ts";

interface ImportItem extends monaco.languages.CompletionItem {
  model: monaco.editor.ITextModel;
  offset: number;
  importable: ImportableName;
}

type RemoteWorker = Pick<LabWorker, "importableNames" | "importOf">;

async function workerOf(model: monaco.editor.ITextModel): Promise<RemoteWorker> {
  const worker = await typescript.getTypeScriptWorker();
  return (await worker(model.uri)) as unknown as RemoteWorker;
}

const { CompletionItemKind } = monaco.languages;
const kinds: Record<string, monaco.languages.CompletionItemKind> = {
  class: CompletionItemKind.Class,
  function: CompletionItemKind.Function,
  interface: CompletionItemKind.Interface,
  type: CompletionItemKind.Interface,
};

/** Registers the completion for every lab's file. */
export function completeImports(): void {
  monaco.languages.registerCompletionItemProvider("typescript", {
    async provideCompletionItems(model, position) {
      const offset = model.getOffsetAt(position);
      const names = await (await workerOf(model)).importableNames(model.uri.toString(), offset);
      if (model.isDisposed()) return null;
      const { startColumn, endColumn } = model.getWordUntilPosition(position);
      const { lineNumber } = position;
      const range = new monaco.Range(lineNumber, startColumn, lineNumber, endColumn);
      return { suggestions: names.map(importable => itemOf(importable, model, offset, range)) };
    },
    async resolveCompletionItem(item) {
      const { model, offset, importable } = item as ImportItem;
      if (model.isDisposed()) return item;
      const found = await (await workerOf(model)).importOf(model.uri.toString(), offset, importable);
      if (!found || model.isDisposed()) return item;
      return {
        ...item,
        detail: found.declaration,
        documentation: { value: found.words },
        additionalTextEdits: found.edits.map(({ start, length, text }) => ({
          range: monaco.Range.fromPositions(model.getPositionAt(start), model.getPositionAt(start + length)),
          text,
        })),
      };
    },
  });
}

function itemOf(
  importable: ImportableName,
  model: monaco.editor.ITextModel,
  offset: number,
  range: monaco.Range,
): ImportItem {
  const { name, kind, source, sortText } = importable;
  return {
    label: { label: name, description: source },
    kind: kinds[kind] ?? CompletionItemKind.Constant,
    insertText: name,
    sortText,
    range,
    model,
    offset,
    importable,
  };
}
