// Pane. What a folder in panes/ gives to the workbench, and what the workbench gives to its component.
import type { Root } from "hast";
import type { ReactNode } from "react";
import type { CheckResults, RunView } from "../labs.ts";
import type { Reloadable } from "../ui/reloadable.ts";
import type { Actions, WorkbenchLab } from "./lab.ts";

export interface PaneProps {
  lab: WorkbenchLab;
  /** The newest run of the lab's program. */
  program: RunView | null;
  /** The newest run of the lab's checks. */
  check: RunView | null;
  results: CheckResults;
  actions: Actions;
  /** Draws a hint with the components of the lesson's prose. */
  renderHint(hint: Root): ReactNode;
}

/** The export `pane` of panes/FOLDER/pane.ts. */
export interface Pane {
  view: Reloadable<PaneProps>;
  /** The count on the tab; null for none. */
  badge?(props: PaneProps): string | null;
  /** Whether the pane is offered now; always, if it is left out. */
  isOffered?(props: PaneProps): boolean;
}
