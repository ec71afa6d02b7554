// View. What the reader of the workbench looks at: a store, so that a lesson's words can open a pane, a check or a line.
import { createStore } from "zustand/vanilla";
import { visible } from "../../server-labs/protocol.ts";
import { local } from "../storage.ts";
import { type PaneName, paneNames, paneRows } from "./panes.ts";

export interface View {
  pane: PaneName;
  /** The pane at the right, where there is room for two: null until the reader has chosen one, or none. */
  second: PaneName | "none" | null;
  /** The pane that covers the editor and the other pane. */
  maximised: PaneName | null;
  /** CSS pixels that the panes have from left to right. */
  width: number;
  /** A pane that the reader asked for, to be outlined for a moment; a new object does it again. */
  pointed: { pane: PaneName } | null;
  /** A check to open and bring into view; a new object does it again. */
  check: { id: string } | null;
  /** A place to bring into view, in the file that runs or in another one; a new object does it again. */
  reveal: { line: number; column: number; file?: string } | null;
}

const key = "workbook.second-pane";

export const view = createStore<View>(() => ({
  pane: "Output",
  second: secondOf(local.get(key)),
  maximised: null,
  width: 0,
  pointed: null,
  check: null,
  reveal: null,
}));

/** The choice as it was stored; null for a pane that is not there any more. */
function secondOf(stored: string | null): View["second"] {
  return stored === "none" ? stored : (paneNames.find(name => name === stored) ?? null);
}

/** CSS pixels from which two panes can stand side by side, and from which they do unasked. */
export const widths = { two: 640, unasked: 860 };

/** Whether the pace has a row of its own in the panes' bar, with room for its words beside its buttons. */
export const isPaceRow = ({ width }: View): boolean => width >= 640 && width < 780;

/** The pane at the left, and the pane at the right of it if there is one. */
export function panesInView({ pane, second, maximised, width }: View): {
  first: PaneName;
  second: PaneName | null;
} {
  if (maximised !== null) return { first: maximised, second: null };
  if (width < widths.two || second === "none" || second === pane) return { first: pane, second: null };
  if (second !== null) return { first: pane, second };
  // The course compares what a program does with the calls that it makes.
  const unasked = width >= widths.unasked && paneRows.find(({ name }) => name === pane)?.syscallsBeside;
  return { first: pane, second: unasked ? "Syscalls" : null };
}

/** Opens a pane of the workbench; one that is in view at the right stays there. */
export const openPane = (pane: PaneName): void => view.setState(now => opened(now, pane));

/** The change that brings a pane into view. */
export function opened(now: View, pane: PaneName): Partial<View> {
  if (now.maximised !== null) return { maximised: pane };
  return panesInView(now).second === pane ? {} : { pane };
}

/** The change of a press on a tab: the pane comes to the left; if it was chosen for the right, the two change places. */
export function placedFirst(now: View, pane: PaneName): Partial<View> {
  if (now.maximised !== null) return { maximised: pane };
  const swap = now.second === pane && panesInView(now).second === pane;
  return swap ? { pane, second: now.pane } : { pane };
}

/** Opens a pane and outlines it for a moment. */
export function pointAtPane(pane: PaneName): void {
  openPane(pane);
  view.setState({ pointed: { pane } });
  scrollToPanes();
}

/** In a low window the workbench scrolls: the reader sees what becomes of a press. Elsewhere nothing moves. */
export function scrollToPanes(): void {
  document.querySelector(".bench .panes")?.scrollIntoView({ block: "nearest" });
}

/** Remembers which pane the reader wants at the right. */
export function chooseSecond(second: PaneName | "none"): void {
  view.setState({ second });
  local.set(key, second);
}

/** Gives the whole workbench to a pane, or gives the others their places back. */
export const toggleMaximised = (pane: PaneName): void => view.setState(now => maximisedOrBack(now, pane));

export function maximisedOrBack(now: View, pane: PaneName): Partial<View> {
  if (now.maximised === null) return { maximised: pane };
  // Another pane may have been opened meanwhile.
  const { second } = panesInView({ ...now, maximised: null });
  return { maximised: null, pane: now.maximised === second ? now.pane : now.maximised };
}

/** Opens Checks with one of them unfolded. */
export function openCheck(id: string): void {
  pointAtPane("Checks");
  view.setState({ check: { id } });
}

/** Shows a place in the editor. @param line from 1 @param at the column, from 1; the file, the one that runs when left out */
export const revealLine = (line: number, at: { column?: number; file?: string } = {}): void =>
  // The line would be behind a pane that covers the editor.
  view.setState(now => ({
    ...(now.maximised === null ? {} : maximisedOrBack(now, now.maximised)),
    reveal: { line, column: 1, ...at },
  }));

/** A line of the program, of the file that starts where no file is named; null: not known. */
interface ProgramLine {
  line: number | null;
  file?: string | undefined;
}

/** Shows the line that made a call, where the trace knows it. */
export function revealCall({ line, file }: ProgramLine): void {
  if (line !== null) revealLine(line, file === undefined ? {} : { file });
}

/** "line 12", "lib/clients.ts:12" */
export function placeOf({ line, file }: ProgramLine): string {
  return file === undefined ? `line ${line}` : `${visible(file)}:${line}`;
}
