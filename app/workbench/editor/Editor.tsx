// Editor. One Monaco for the workbench. The caller owns the text; a lab's model lives as long as the page, so that undo and
// the cursor survive a change of lesson.
import { useEffect, useRef, useState } from "react";
import { codeFont } from "../palette.ts";
import { addKeys } from "./key-bindings.ts";
import { drawMarks } from "./line-marks.ts";
import { forgetOthers, modelOf, replaceText, setProblem, textOf } from "./models.ts";
import { monaco } from "./monaco.ts";

export interface EditorProps {
  /** The lab's id: labs have models of their own. */
  lab: string;
  file: string;
  text: string;
  /** The other files of the lab's folder: what this one imports is typed by them. */
  others: readonly { file: string; text: string }[];
  /** As marks name it: left out for the file that starts. */
  marked: string | undefined;
  onEdit(text: string): void;
  /** The place of a run's syntax error, with its sentence. */
  problem: { line: number; column: number; sentence: string } | null;
  /** A place to show; a new object shows it again. */
  reveal: { line: number; column: number } | null;
}

type CodeEditor = monaco.editor.IStandaloneCodeEditor;

export default function Editor(props: EditorProps) {
  const { lab, file, text, others, marked, onEdit, problem, reveal } = props;
  const place = useRef<HTMLDivElement>(null);
  const revealed = useRef<EditorProps["reveal"]>(null);
  const [editor, setEditor] = useState<CodeEditor | null>(null);
  const [leaving, setLeaving] = useState(false);
  const edited = useRef(onEdit);
  edited.current = onEdit;

  useEffect(() => {
    let made: CodeEditor | undefined;
    let gone = false;
    void codeFont().then(fontFamily => {
      if (gone) return;
      made = monaco.editor.create(place.current!, { ...options, fontFamily });
      addKeys(made, setLeaving);
      setEditor(made);
    });
    return () => {
      gone = true;
      made?.dispose();
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the text of the moment is only the first; later ones come below.
  useEffect(() => {
    if (!editor) return;
    const entry = modelOf(lab, file, text);
    editor.setModel(entry.model);
    if (entry.view) editor.restoreViewState(entry.view);
    editor.updateOptions({ ariaLabel: `${file}. To leave the editor, press Escape, then Tab.` });
    const change = entry.model.onDidChangeContent(() => {
      if (!entry.ours) edited.current(textOf(entry));
      // The mark was about the text of that run.
      setProblem(entry.model, null);
    });
    return () => {
      entry.view = editor.saveViewState();
      change.dispose();
    };
  }, [editor, lab, file]);

  useEffect(() => {
    if (editor) replaceText(modelOf(lab, file, text), text);
  }, [editor, lab, file, text]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another lab is another model, which the editor holds by now.
  useEffect(() => {
    if (editor) setProblem(editor.getModel()!, problem);
  }, [editor, lab, file, problem]);

  useEffect(() => {
    if (!editor) return;
    for (const other of others) replaceText(modelOf(lab, other.file, other.text), other.text);
    forgetOthers(lab, [file, ...others.map(other => other.file)]);
  }, [editor, lab, file, others]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above.
  useEffect(() => (editor ? drawMarks(editor, marked) : undefined), [editor, lab, file, marked]);

  useEffect(() => {
    // Once: a reader who comes back to this file later is where they left it.
    if (!editor || !reveal || revealed.current === reveal) return;
    revealed.current = reveal;
    editor.setPosition({ lineNumber: reveal.line, column: reveal.column });
    editor.revealLineInCenterIfOutsideViewport(reveal.line);
    editor.focus();
  }, [editor, reveal]);

  return (
    <div className="editor">
      <div className="editor-place" ref={place} data-ready={editor ? "" : undefined} />
      {!editor && <pre className="editor-waiting">{text}</pre>}
      <p className="editor-leaving" role="status">
        {leaving ? "Tab leaves the editor." : ""}
      </p>
    </div>
  );
}

const options: monaco.editor.IStandaloneEditorConstructionOptions = {
  model: null,
  theme: "workbook",
  automaticLayout: true,
  fontSize: 13.5,
  lineHeight: 22,
  fontLigatures: false,
  padding: { top: 12, bottom: 12 },
  minimap: { enabled: false },
  scrollBeyondLastLine: false,
  smoothScrolling: false,
  cursorBlinking: "solid",
  tabSize: 2,
  insertSpaces: true,
  detectIndentation: false,
  bracketPairColorization: { enabled: false },
  guides: { indentation: false, bracketPairs: false },
  occurrencesHighlight: "off",
  selectionHighlight: false,
  links: false,
  colorDecorators: false,
  codeLens: false,
  folding: false,
  glyphMargin: false,
  lineNumbersMinChars: 3,
  lineDecorationsWidth: 12,
  overviewRulerLanes: 0,
  overviewRulerBorder: false,
  hideCursorInOverviewRuler: true,
  renderLineHighlight: "line",
  renderLineHighlightOnlyWhenFocus: false,
  stickyScroll: { enabled: false },
  fixedOverflowWidgets: true,
  // Chinese prose in a comment is no attack.
  unicodeHighlight: { ambiguousCharacters: false, invisibleCharacters: true },
  scrollbar: {
    verticalScrollbarSize: 10,
    horizontalScrollbarSize: 10,
    useShadows: false,
    // In a short window the workbench scrolls, also with the pointer over the text.
    alwaysConsumeMouseWheel: false,
  },
  suggest: { showWords: false },
  wordBasedSuggestions: "off",
  quickSuggestions: { strings: true, other: true, comments: false },
  hover: { delay: 250 },
  dropIntoEditor: { enabled: false },
  pasteAs: { enabled: false },
};
