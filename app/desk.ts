// Whether the workbench is in view. The reader folds and opens it, and its words point at a pane or a check of it;
// what is shown inside is the workbench's own affair (workbench/view.ts).
import { createStore } from "zustand/vanilla";
import { openCheck, openPane, type Pane } from "./workbench/view.ts";

export interface Desk {
  /** In a wide window: folded away by the reader. Kept over reloads. */
  folded: boolean;
  /** In a narrow window: the lab covers the page. */
  sheet: boolean;
  /** Counts how often it was asked for: who asks for it is taken there. */
  opened: number;
}

const key = "workbook.folded";

export const desk = createStore<Desk>(() => ({ folded: remembered() === "yes", sheet: false, opened: 0 }));

/** Brings the workbench into view; the page's scroll stays where it is. */
export function openWorkbench(): void {
  desk.setState(({ opened }) => ({ folded: false, sheet: true, opened: opened + 1 }));
  remember("no");
}

export function foldWorkbench(): void {
  desk.setState({ folded: true, sheet: false });
  remember("yes");
}

/** Closes the sheet of a narrow window; a wide one is not changed. */
export function closeSheet(): void {
  desk.setState({ sheet: false });
}

/** Opens a pane of the workbench; with a check's id, Checks with that one unfolded. */
export function showPane(pane: Pane, check?: string): void {
  if (check) openCheck(check);
  else openPane(pane);
  openWorkbench();
}

function remembered(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is forbidden: everything begins unfolded
  }
}

function remember(folded: "yes" | "no"): void {
  try {
    localStorage.setItem(key, folded);
  } catch {
    // as above: only this visit remembers it
  }
}
