// Editor models. Monaco's text of each lab, made once and kept with its undo history and the reader's place in it.
import { monaco, setJson } from "./monaco.ts";
import { editorText, inForm, type TextForm, textFormOf } from "./text-form.ts";

export interface EditorModel {
  /** Its lines, whatever the file has between them. */
  model: monaco.editor.ITextModel;
  /** The line ends and the mark of the file's text. */
  form: TextForm;
  view: monaco.editor.ICodeEditorViewState | null;
  /** We are changing the text ourselves: not an edit of the reader's. */
  ours: boolean;
}

const entries = new Map<string, EditorModel>();

/** The model of a lab's file, made with the given text when it is the first time. */
export function modelOf(lab: string, file: string, text: string): EditorModel {
  const uri = monaco.Uri.parse(`file:///${lab}/${file}`);
  let entry = entries.get(uri.path);
  if (!entry) {
    const model = monaco.editor.createModel(editorText(text), languageOf(file), uri);
    model.setEOL(monaco.editor.EndOfLineSequence.LF);
    // Brackets are ink: a rainbow would say that they matter more than the words.
    model.updateOptions({
      bracketColorizationOptions: { enabled: false, independentColorPoolPerBracketType: false },
    });
    entry = { model, form: textFormOf(text), view: null, ours: false };
    entries.set(uri.path, entry);
    if (file.endsWith(".json")) typeJson(model);
  }
  return entry;
}

/** Tokens and types: the compiler reads JavaScript too; all else is plain. */
const languageOf = (file: string) => (/\.[cm]?[jt]s$/.test(file) ? "typescript" : "plaintext");

/** Gives the compiler what a program imports from a JSON file. */
function typeJson(model: monaco.editor.ITextModel): void {
  const update = () => setJson(model.uri.toString(), model.getValue());
  update();
  model.onDidChangeContent(update);
  model.onWillDispose(() => setJson(model.uri.toString(), null));
}

/** Lets go of the models of a lab whose files are no longer there. @param files those that are */
export function forgetOthers(lab: string, files: readonly string[]): void {
  for (const [path, { model }] of [...entries]) {
    const file = path.startsWith(`/${lab}/`) ? path.slice(lab.length + 2) : null;
    if (file === null || files.includes(file)) continue;
    entries.delete(path);
    model.dispose();
  }
}

/** The text of a model in the form of its file. */
export const textOf = ({ model, form }: EditorModel): string => inForm(model.getValue(), form);

/** Makes the model hold another text (a reset, another tab's save); undo brings the old one back. */
export function replaceText(entry: EditorModel, written: string): void {
  const { model } = entry;
  entry.form = textFormOf(written);
  const [old, text] = [model.getValue(), editorText(written)];
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
