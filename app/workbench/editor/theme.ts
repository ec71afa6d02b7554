// Editor theme. The page's colours: keyword = accent, string = ready, number = waiting, comment = ink-3, the rest ink,
// as in the lessons' code and in the output.
import { editor } from "monaco-editor/editor/editor.api";
import { type Palette, readPalette } from "../palette.ts";

/** Defines the theme "workbook" from the tokens in force and puts it on. */
export function defineTheme(): void {
  const palette = readPalette();
  const rule = (token: string, colour: string) => ({ token, foreground: colour.slice(1) });
  editor.defineTheme("workbook", {
    base: palette.dark ? "vs-dark" : "vs",
    inherit: true,
    rules: [
      rule("", palette.ink),
      rule("keyword", palette.accent),
      rule("string", palette.ready),
      rule("string.escape", palette.waiting),
      rule("regexp", palette.ready),
      rule("number", palette.waiting),
      { ...rule("comment", palette["ink-3"]), fontStyle: "italic" },
      rule("comment.doc", palette["ink-3"]),
      rule("type", palette.ink),
      rule("identifier", palette.ink),
      rule("delimiter", palette.ink),
    ],
    colors: colours(palette),
  });
  editor.setTheme("workbook");
}

/** What is not text: the editor's surface, its widgets, its scrollbars. */
function colours(palette: Palette): Record<string, string> {
  return {
    "editor.background": palette.raised,
    "editor.foreground": palette.ink,
    "editorLineNumber.foreground": palette["ink-3"],
    "editorLineNumber.activeForeground": palette.ink,
    "editorCursor.foreground": palette.accent,
    "editor.selectionBackground": `${palette.accent}38`,
    "editor.inactiveSelectionBackground": `${palette.accent}20`,
    "editor.lineHighlightBackground": palette.desk,
    "editor.lineHighlightBorder": "#00000000",
    "editorBracketMatch.background": palette["accent-wash"],
    "editorBracketMatch.border": "#00000000",
    ...Object.fromEntries(
      [1, 2, 3, 4, 5, 6].map(n => [`editorBracketHighlight.foreground${n}`, palette.ink]),
    ),
    "editorIndentGuide.background1": palette.rule,
    "editorIndentGuide.activeBackground1": palette.rule,
    "editorError.foreground": palette.failed,
    "editorWarning.foreground": palette.waiting,
    "editorHint.foreground": palette["ink-3"],
    "editorWidget.background": palette.paper,
    "editorWidget.foreground": palette.ink,
    "editorWidget.border": palette.rule,
    "editorHoverWidget.background": palette.paper,
    "editorHoverWidget.border": palette.rule,
    "editorSuggestWidget.background": palette.paper,
    "editorSuggestWidget.border": palette.rule,
    "editorSuggestWidget.selectedBackground": palette["accent-wash"],
    "editorSuggestWidget.selectedForeground": palette.ink,
    "editorSuggestWidget.highlightForeground": palette.accent,
    "editorSuggestWidget.focusHighlightForeground": palette.accent,
    "list.hoverBackground": palette.desk,
    "input.background": palette.raised,
    "input.border": palette.rule,
    "inputOption.activeBorder": palette.accent,
    "textLink.foreground": palette.accent,
    "textCodeBlock.background": palette.desk,
    focusBorder: palette.accent,
    "menu.background": palette.paper,
    "menu.selectionBackground": palette["accent-wash"],
    "menu.selectionForeground": palette.ink,
    "quickInput.background": palette.paper,
    "scrollbar.shadow": "#00000000",
    "scrollbarSlider.background": `${palette["ink-3"]}40`,
    "scrollbarSlider.hoverBackground": `${palette["ink-3"]}60`,
    "scrollbarSlider.activeBackground": `${palette["ink-3"]}80`,
    "widget.shadow": palette.dark ? "#00000060" : "#00000020",
    "peekViewEditor.background": palette.desk,
    "peekViewResult.background": palette.paper,
    "peekView.border": palette.accent,
  };
}
