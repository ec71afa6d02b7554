// What the reader of the workbench is looking at: one small store, so that the lesson's words too can open a pane,
// a check or a line.
import { createStore } from "zustand/vanilla";

export type Pane = "Output" | "Syscalls" | "Kernel" | "Clients" | "Checks";

export interface View {
  pane: Pane;
  /** A check to open and bring into view; a new object does it again. */
  check: { id: string } | null;
  /** A line of the student's file to bring into view; a new object does it again. */
  reveal: { line: number } | null;
}

export const view = createStore<View>(() => ({ pane: "Output", check: null, reveal: null }));

/** Opens a pane of the workbench. */
export const openPane = (pane: Pane): void => view.setState({ pane });

/** Opens Checks with one of them unfolded. */
export const openCheck = (id: string): void => view.setState({ pane: "Checks", check: { id } });

/** Shows a line of the student's file in the editor. @param line from 1 */
export const revealLine = (line: number): void => view.setState({ reveal: { line } });
