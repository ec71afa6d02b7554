// Line marks. The line of the latest call, quietly; the line where the program waits, for all to see.
import { type MarkedLine, type Marks, marks } from "../marks.ts";
import { monaco } from "./monaco.ts";

/**
 * Draws the marks of one file into an editor from now on.
 * @param file as marks name it
 * @returns ends it, and takes them away
 */
export function drawMarks(editor: monaco.editor.IStandaloneCodeEditor, file: string | undefined): () => void {
  const drawn = editor.createDecorationsCollection();
  const draw = ({ latest, waits }: Marks, before?: Marks) => {
    const lines = editor.getModel()?.getLineCount() ?? 0;
    const isHere = (mark: MarkedLine | null) => mark !== null && mark.file === file && mark.line <= lines;
    const decorations: monaco.editor.IModelDeltaDecoration[] = [];
    if (waits && isHere(waits)) decorations.push(waiting(editor, waits));
    else if (latest && isHere(latest)) decorations.push(whole(latest.line, "line-latest"));
    drawn.set(decorations);
    // Where it has stopped is what the reader asked to see.
    if (waits && isHere(waits) && waits.line !== before?.waits?.line)
      editor.revealLineInCenterIfOutsideViewport(waits.line);
  };
  draw(marks.getState());
  const end = marks.subscribe(draw);
  return () => {
    end();
    drawn.clear();
  };
}

function whole(line: number, className: string): monaco.editor.IModelDeltaDecoration {
  return {
    range: new monaco.Range(line, 1, line, 1),
    options: { isWholeLine: true, className, linesDecorationsClassName: `${className}-gutter` },
  };
}

/** Before the call: its line is still to be done. After it: it is. The words stand behind the text. */
function waiting(
  editor: monaco.editor.IStandaloneCodeEditor,
  { line, where, words }: NonNullable<Marks["waits"]>,
): monaco.editor.IModelDeltaDecoration {
  const end = editor.getModel()!.getLineMaxColumn(line);
  const mark = whole(line, `line-waits ${where}`);
  return {
    range: new monaco.Range(line, 1, line, end),
    options: {
      ...mark.options,
      linesDecorationsClassName: "line-waits-gutter",
      after: { content: `   ${words}`, inlineClassName: "line-waits-words" },
      showIfCollapsed: true,
    },
  };
}
