// Key bindings. Gives the editor's keys of keys.ts to Monaco, and takes the lab's keys from it.
// Tab indents, so a keyboard must have another way out (WCAG 2.1.2): Escape, then Tab or Shift+Tab. Any other key, a
// click, or leaving the editor gives Tab back to the text.
import { editorKeys, keysBeforeEditor } from "../../keys.ts";
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

/** Adds the keys to an editor. @param onLeaving called with true when Tab leaves the editor from now on, and with false */
export function addKeys(
  editor: monaco.editor.IStandaloneCodeEditor,
  onLeaving: (leaving: boolean) => void,
): void {
  let leaving = false;
  const set = (now: boolean) => {
    if (now === leaving) return;
    leaving = now;
    editor.updateOptions({ tabFocusMode: now });
    onLeaving(now);
  };
  const actions: Record<keyof typeof editorKeys, { run(): void; when: string }> = {
    leaveEditor: { run: () => set(true), when: nothingElseToClose },
  };
  for (const id of Object.keys(actions) as (keyof typeof actions)[])
    editor.addCommand(monacoBinding(editorKeys[id]), actions[id].run, actions[id].when);
  editor.onKeyDown(event => {
    const { Escape, Tab, Shift } = monaco.KeyCode;
    if (leaving && ![Escape, Tab, Shift].includes(event.keyCode)) set(false);
  });
  editor.onMouseDown(() => set(false));
  editor.onDidBlurEditorWidget(() => set(false));
}

const modifiers: Record<string, number> = {
  $mod: monaco.KeyMod.CtrlCmd,
  Shift: monaco.KeyMod.Shift,
  Alt: monaco.KeyMod.Alt,
};

/** Monaco's commands on keys that are the lab's: its menus would name a key that does something else. */
const displaced: Record<string, string> = {
  "$mod+Enter": "editor.action.insertLineAfter",
  "$mod+Shift+Enter": "editor.action.insertLineBefore",
  F8: "editor.action.marker.nextInFiles",
  "Shift+F8": "editor.action.marker.prevInFiles",
};
monaco.editor.addKeybindingRules(
  keysBeforeEditor.flatMap(keys => {
    const command = displaced[keys];
    return command === undefined ? [] : [{ keybinding: monacoBinding(keys), command: `-${command}` }];
  }),
);

/** "$mod+Escape" → Monaco's number for it. @throws Error for a key that Monaco has no code for */
function monacoBinding(keys: string): number {
  const parts = keys.split("+");
  const key = parts.pop()!;
  const code = monaco.KeyCode[key as keyof typeof monaco.KeyCode];
  const mask = parts.map(part => modifiers[part]);
  if (code === undefined || mask.includes(undefined))
    throw new Error(`keys.ts has the shortcut "${keys}", for which Monaco has no code.`);
  return mask.reduce((sum: number, modifier) => sum | modifier!, code);
}
