// The text of each lab as Monaco holds it. A model is made once and kept: with it live its undo stack and, beside
// it, the place where the reader was.
import { monaco } from "./monaco.ts";

export interface Entry {
  model: monaco.editor.ITextModel;
  view: monaco.editor.ICodeEditorViewState | null;
  /** We are changing the text ourselves: not an edit of the reader's. */
  ours: boolean;
}

const entries = new Map<string, Entry>();

/** The model of a lab's file, made with the given text when it is the first time. */
export function modelOf(lab: string, file: string, text: string): Entry {
  const uri = monaco.Uri.parse(`file:///${lab}/${file}`);
  let entry = entries.get(uri.path);
  if (!entry) {
    const model = monaco.editor.createModel(text, "typescript", uri);
    // Brackets are ink: a rainbow would say that they matter more than the words.
    model.updateOptions({
      bracketColorizationOptions: { enabled: false, independentColorPoolPerBracketType: false },
    });
    entry = { model, view: null, ours: false };
    entries.set(uri.path, entry);
  }
  return entry;
}

/** Makes the model hold another text (a reset, another tab's save); undo brings the old one back. */
export function replaceText(entry: Entry, text: string): void {
  const { model } = entry;
  const old = model.getValue();
  if (old === text) return;
  // Only the part that differs is replaced, so that the cursor stays where it was.
  let start = 0;
  while (start < old.length && start < text.length && old[start] === text[start]) start++;
  let end = 0;
  const most = Math.min(old.length, text.length) - start;
  while (end < most && old[old.length - 1 - end] === text[text.length - 1 - end]) end++;
  const range = monaco.Range.fromPositions(model.getPositionAt(start), model.getPositionAt(old.length - end));
  entry.ours = true;
  try {
    model.pushStackElement();
    model.pushEditOperations([], [{ range, text: text.slice(start, text.length - end) }], () => null);
    model.pushStackElement();
  } finally {
    entry.ours = false;
  }
}

/** Marks where a run said that the text cannot be read; null takes the mark away. */
export function setProblem(
  model: monaco.editor.ITextModel,
  problem: { line: number; column: number; sentence: string } | null,
): void {
  const marks: monaco.editor.IMarkerData[] = [];
  if (problem) {
    const line = Math.min(Math.max(problem.line, 1), model.getLineCount());
    const column = Math.min(Math.max(problem.column, 1), model.getLineMaxColumn(line));
    const word = model.getWordAtPosition({ lineNumber: line, column });
    marks.push({
      severity: monaco.MarkerSeverity.Error,
      message: problem.sentence,
      source: "run",
      startLineNumber: line,
      startColumn: column,
      endLineNumber: line,
      endColumn: word?.endColumn ?? column + 1,
    });
  }
  monaco.editor.setModelMarkers(model, "run", marks);
}
