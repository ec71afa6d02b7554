// The line of the latest call, quietly; the line where the program waits, to be seen from across the room.
import { type Marks, marks } from "../marks.ts";
import { monaco } from "./monaco.ts";

/** Draws the marks into an editor from now on. @returns ends it, and takes them away. */
export function drawMarks(editor: monaco.editor.IStandaloneCodeEditor): () => void {
  const drawn = editor.createDecorationsCollection();
  const draw = ({ latest, waits }: Marks, before?: Marks) => {
    const lines = editor.getModel()?.getLineCount() ?? 0;
    const decorations: monaco.editor.IModelDeltaDecoration[] = [];
    if (waits && waits.line <= lines) decorations.push(waiting(editor, waits));
    else if (latest && latest <= lines) decorations.push(whole(latest, "line-latest"));
    drawn.set(decorations);
    // Where it has stopped is what the reader asked to see.
    if (waits && waits.line !== before?.waits?.line) editor.revealLineInCenterIfOutsideViewport(waits.line);
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
