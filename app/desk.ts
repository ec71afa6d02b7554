// What reader and workbench agree on: whether the workbench is in view, and which pane the prose has pointed at.
// Prose points, the workbench shows: `useStore(desk, …)` there, showPane() here.
import { createStore } from "zustand/vanilla";
import type { LessonContent, LessonMeta } from "./book.ts";

export type PaneName = "Output" | "Syscalls" | "Checks";

/** What the reader gives to the workbench (the default export of workbench/Workbench.tsx). */
export interface WorkbenchProps {
  /** Its `id` is the lab's, its `lab` is never null here. */
  lesson: LessonMeta;
  content: LessonContent;
}

export interface Desk {
  /** In a wide window: folded away by the reader. Kept over reloads. */
  folded: boolean;
  /** In a narrow window: the lab covers the page. */
  sheet: boolean;
  /** What was last pointed at; a new object each time, so that pointing twice at one pane works. */
  pointed: { pane: PaneName; check?: string } | null;
}

const key = "workbook.folded";

export const desk = createStore<Desk>(() => ({
  folded: remembered() === "yes",
  sheet: false,
  pointed: null,
}));

/** Brings the workbench into view; the page's scroll stays where it is. */
export function openWorkbench(): void {
  desk.setState({ folded: false, sheet: true });
  remember("no");
}

export function foldWorkbench(): void {
  desk.setState({ folded: true, sheet: false });
  remember("yes");
}

/** Closes the sheet of a narrow window, as when another lesson is opened. */
export function closeSheet(): void {
  desk.setState({ sheet: false });
}

/** Opens a pane of the workbench, and in Checks the check of that id. */
export function showPane(pane: PaneName, check?: string): void {
  desk.setState({ pointed: { pane, check } });
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
