// Keys. Every shortcut of the page in one table: what is pressed, what it does, and where it holds.
// The sheet under `?`, the names on buttons, the listeners and Monaco's bindings are all made from this table.
import { useEffect, useRef } from "react";
import { matchKeybindingPress, parseKeybinding, tinykeys } from "tinykeys";
import { type PaneName, panes } from "./workbench/panes.ts";

/** Where a shortcut holds, in the order of the sheet, with the sheet's heading. */
export const scopes = {
  lab: "The lab, from anywhere on the page",
  program: "A running program, from anywhere on the page",
  halves: "The text and the lab, from anywhere on the page",
  page: "The page, while you are not typing",
  panes: "The panes, while you are not typing",
  calls: "The list of calls",
  output: "The output",
  editor: "The editor",
} as const;
export type KeyScope = keyof typeof scopes;

interface KeyRow {
  /** As tinykeys writes it: `$mod` is Ctrl, or ⌘ on a Mac; a modifier in [ ] may be pressed or not. */
  keys: string;
  /** What it does, in the sheet. */
  does: string;
  scope: KeyScope;
  /** A key held down does it again and again. */
  repeats?: true;
}

// A character that some keyboards write with Shift or AltGr may be pressed with them.
const rows = {
  run: { keys: "$mod+Enter", does: "Run; while it runs, run again", scope: "lab" },
  stop: { keys: "Shift+F8", does: "Stop", scope: "lab" },
  check: { keys: "$mod+Shift+Enter", does: "Check", scope: "lab" },
  pause: { keys: "F8", does: "Pause; continue", scope: "program" },
  step: { keys: "F9", does: "Step to before or after a call", scope: "program", repeats: true },
  nextCall: { keys: "F10", does: "Step to before the next call", scope: "program", repeats: true },
  changeHalf: { keys: "F6", does: "From the text to the lab, and back", scope: "halves" },
  maximise: { keys: "g m", does: "Maximise a pane, and back", scope: "panes" },
  previousPage: { keys: "[Shift]+[Alt]+[", does: "Previous page", scope: "page" },
  nextPage: { keys: "[Shift]+[Alt]+]", does: "Next page", scope: "page" },
  showKeys: { keys: "[Shift]+[Alt]+?", does: "Show this list", scope: "page" },
  filter: { keys: "[Shift]+/", does: "Filter the calls", scope: "calls" },
  lineUp: { keys: "[Shift]+ArrowUp", does: "A line up", scope: "output", repeats: true },
  lineDown: { keys: "[Shift]+ArrowDown", does: "A line down", scope: "output", repeats: true },
  pageUp: { keys: "[Shift]+PageUp", does: "A page up", scope: "output", repeats: true },
  pageDown: { keys: "[Shift]+PageDown", does: "A page down", scope: "output", repeats: true },
  toStart: { keys: "[Shift]+Home", does: "To the start", scope: "output", repeats: true },
  toEnd: { keys: "[Shift]+End", does: "To the end", scope: "output", repeats: true },
  leaveEditor: { keys: "Escape", does: "Leave the editor: Tab then moves on", scope: "editor" },
} as const satisfies Record<string, KeyRow>;

type PaneKey = `show${PaneName}`;
const ofPanes = Object.fromEntries(
  panes.map(({ name, keys }) => [`show${name}`, { keys, does: `Show ${name}`, scope: "panes" }]),
) as Record<PaneKey, { keys: string; does: string; scope: "panes" }>;

const table = { ...rows, ...ofPanes };
export type KeyId = keyof typeof table;
/** The ids of a scope's rows. */
type KeysOf<S extends KeyScope> = { [K in KeyId]: (typeof table)[K]["scope"] extends S ? K : never }[KeyId];

/** The table, for the sheet and for tests. */
export const keyTable: Readonly<Record<KeyId, KeyRow>> = table;

const idsOf = <S extends KeyScope>(scope: S) =>
  (Object.keys(table) as KeyId[]).filter((id): id is KeysOf<S> => table[id].scope === scope);

const isApple = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** What each press of a shortcut is written on: [["Ctrl", "Enter"]], or [["g"], ["o"]] for one key after the other. */
export function keyCaps(id: KeyId): string[][] {
  return keyTable[id].keys.split(" ").map(press => {
    const parts = press.split(/(?<=\w|\])\+/).filter(part => !/^\[\w+\]$/.test(part));
    return parts.map(part => caps[part] ?? part);
  });
}
/** The name of the modifier that the sheet speaks of. */
export const modifierName = isApple ? "⌘" : "Ctrl";
const caps: Record<string, string> = {
  $mod: modifierName,
  Escape: "Esc",
  ArrowUp: "↑",
  ArrowDown: "↓",
  PageUp: "Page Up",
  PageDown: "Page Down",
};

/** Each shortcut as a button shows it: "Ctrl+⏎", "⌘⏎", "F8". */
export const keyNames = Object.fromEntries(
  (Object.keys(table) as KeyId[]).map(id => [id, shortName(id)]),
) as Record<KeyId, string>;

function shortName(id: KeyId): string {
  const signs: Record<string, string> = { Enter: "⏎", Shift: "⇧", Ctrl: "Ctrl+" };
  const presses = keyCaps(id).map(press => press.map(cap => signs[cap] ?? cap).join(""));
  return presses.join(" ");
}

/** The handlers of the rows that the pane registry gives. */
export const paneHandlers = (show: (pane: PaneName) => void) =>
  Object.fromEntries(panes.map(({ name }) => [`show${name}`, () => show(name)])) as Record<
    PaneKey,
    () => void
  >;

/** Shortcuts of the lab and its program, which hold in the editor too: Monaco must not offer them for anything else. */
export const keysBeforeEditor: readonly string[] = [...idsOf("lab"), ...idsOf("program")].map(
  id => keyTable[id].keys,
);

/** The editor's rows, for Monaco. */
export const editorKeys = Object.fromEntries(idsOf("editor").map(id => [id, table[id].keys])) as Record<
  KeysOf<"editor">,
  string
>;

/** A handler for each row of a scope; with null the key is not bound at this moment. */
type KeyHandlers<S extends KeyScope> = Record<KeysOf<S>, (() => void) | null>;

/**
 * Binds a scope of the whole page while the component is mounted.
 * @param scope lab, program and halves hold everywhere, before Monaco and before buttons; page and panes while the reader
 *   does not type
 * @param on false: none of the keys is bound
 */
export function useKeys<S extends "lab" | "program" | "halves" | "page" | "panes">(
  scope: S,
  handlers: KeyHandlers<S>,
  on = true,
): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    if (!on) return;
    const everywhere = scope === "lab" || scope === "program" || scope === "halves";
    const bindings = idsOf(scope).map(id => [
      keyTable[id].keys,
      (event: KeyboardEvent) => {
        const handle = latest.current[id];
        if (!handle) return;
        event.preventDefault();
        if (everywhere) event.stopPropagation();
        if (!event.repeat || keyTable[id].repeats) handle();
      },
    ]);
    return tinykeys(window, Object.fromEntries(bindings), {
      capture: everywhere,
      ignore: event => event.isComposing || (!everywhere && isForSomethingElse(event)),
    });
  }, [scope, on]);
}

/** The row of a scope whose key this is, for an element that hears its own keys; null for another key. */
export function keyOf<S extends "calls" | "output">(scope: S, event: KeyboardEvent): KeysOf<S> | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const pressed = (id: KeyId) => matchKeybindingPress(event, parseKeybinding(keyTable[id].keys)[0]!);
  return idsOf(scope).find(pressed) ?? null;
}

/** A key that writes, that a dialog has, or that is part of another shortcut. A radio button does not take text. */
function isForSomethingElse(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey) return true;
  if (event.altKey && !event.getModifierState("AltGraph")) return true;
  if (document.querySelector("dialog:modal")) return true;
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  const fields = "input:not([type=radio], [type=checkbox]), textarea, select, [role=textbox], .monaco-editor";
  return target.isContentEditable || target.closest(fields) !== null;
}
