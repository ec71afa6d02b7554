// Desk. Whether the workbench is in view: the reader folds and opens it, and a lesson's words point at a pane or a check.
// Which pane is open is the workbench's own state (workbench/view.ts).
import { createStore } from "zustand/vanilla";
import { local } from "./storage.ts";
import type { PaneName } from "./workbench/panes.ts";
import { openCheck, panesInView, pointAtPane, toggleMaximised, view } from "./workbench/view.ts";

export interface Desk {
  /** In a wide window: folded away by the reader. Kept over reloads. */
  folded: boolean;
  /** In a narrow window: the lab covers the page. */
  sheet: boolean;
  /** Counts how often it was asked for: who asks for it is taken there. */
  opened: number;
  /** Counts how often the workbench as a whole was asked for: it is outlined for a moment. */
  pointed: number;
}

const key = "workbook.folded";

export const desk = createStore<Desk>(() => ({
  folded: local.get(key) === "yes",
  sheet: false,
  opened: 0,
  pointed: 0,
}));

/** Brings the workbench into view; the page's scroll stays where it is. */
export function openWorkbench(): void {
  desk.setState(({ opened, pointed }) => ({
    folded: false,
    sheet: true,
    opened: opened + 1,
    pointed: pointed + 1,
  }));
  local.set(key, "no");
}

export function foldWorkbench(): void {
  desk.setState({ folded: true, sheet: false });
  local.set(key, "yes");
}

/** Closes the sheet of a narrow window; a wide one is not changed. */
export function closeSheet(): void {
  desk.setState({ sheet: false });
}

/** Opens a pane of the workbench; with a check's id, Checks with that one unfolded. */
export function showPane(pane: PaneName, check?: string): void {
  const { pointed } = desk.getState();
  openWorkbench();
  desk.setState({ pointed }); // it is the pane that is pointed at
  if (check) openCheck(check);
  else pointAtPane(pane);
}

/** Maximises the pane that has the focus, the open one if none has; or gives the others their places back. */
export function maximisePane(): void {
  const { first, second } = panesInView(view.getState());
  const inSecond = document.activeElement?.closest(".pane[data-beside]");
  openWorkbench();
  toggleMaximised(inSecond && second ? second : first);
}

/** Moves the focus from the text to the lab, or from the lab to the text. */
export function changeHalf(): void {
  // A sheet gives the focus back when it closes.
  if (desk.getState().sheet && document.querySelector(".sheet")) closeSheet();
  else if (document.activeElement?.closest(".split-bench"))
    document.getElementById("text")?.focus({ preventScroll: true });
  else openWorkbench();
}
