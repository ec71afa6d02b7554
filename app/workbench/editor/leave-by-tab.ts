// Tab indents, so a keyboard must have another way out: Escape, then Tab (or Shift+Tab). Any other key, a click, or leaving
// gives Tab back to the text.
import { monaco } from "./monaco.ts";

/** Escape does this only when it has nothing else to close. */
const nothingElseToClose = [
  "suggestWidgetVisible",
  "parameterHintsVisible",
  "findWidgetVisible",
  "renameInputVisible",
  "markersNavigationVisible",
  "referenceSearchVisible",
  "inSnippetMode",
  "editorHasMultipleSelections",
  "editorHoverVisible",
]
  .map(key => `!${key}`)
  .join(" && ");

/** Teaches an editor the way out; `onChange` is told whether Tab leaves now. */
export function leaveByTab(
  editor: monaco.editor.IStandaloneCodeEditor,
  onChange: (leaving: boolean) => void,
): void {
  let leaving = false;
  const set = (now: boolean) => {
    if (now === leaving) return;
    leaving = now;
    editor.updateOptions({ tabFocusMode: now });
    onChange(now);
  };
  editor.addCommand(monaco.KeyCode.Escape, () => set(true), nothingElseToClose);
  editor.onKeyDown(event => {
    const { Escape, Tab, Shift } = monaco.KeyCode;
    if (leaving && ![Escape, Tab, Shift].includes(event.keyCode)) set(false);
  });
  editor.onMouseDown(() => set(false));
  editor.onDidBlurEditorWidget(() => set(false));
}
