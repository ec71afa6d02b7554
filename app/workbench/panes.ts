// Pane registry. One row for each pane: tabs, keys, the lesson's directive `:pane[…]` and the tests derive from it.
// The lesson compiler imports this file in Node, so React is not in it: panes/FOLDER/pane.ts has what a pane draws.

interface PaneRow {
  /** Title of the tab, and the name in a lesson. The pane's folder has the same name in lower case. */
  name: string;
  /** Shortcut that opens the pane, as keys.ts writes shortcuts. */
  keys: string;
  /** Width that Syscalls gets at the right of this pane until the reader chooses another pane; none if it is left out. */
  syscallsBeside?: `${number}%`;
  /** Stays in the page while another pane is open. */
  keepMounted?: true;
  /** Shows what a client does, so that a reader who sends one stays here. */
  showsClients?: true;
}

/** In the order of the tabs. */
export const panes = [
  // Kept: the terminal's scroll position and selection survive a look at another pane.
  { name: "Output", keys: "g o", syscallsBeside: "45%", keepMounted: true },
  { name: "Syscalls", keys: "g s", showsClients: true },
  { name: "Kernel", keys: "g k", syscallsBeside: "38%", showsClients: true },
  { name: "Tasks", keys: "g t", syscallsBeside: "38%", showsClients: true },
  { name: "Clients", keys: "g c", syscallsBeside: "38%", showsClients: true },
  { name: "Checks", keys: "g h" },
] as const satisfies readonly PaneRow[];

export type PaneName = (typeof panes)[number]["name"];

/** The names alone, in the order of the tabs. */
export const paneNames: readonly PaneName[] = panes.map(({ name }) => name);

/** A row with all its fields, where a caller treats every pane alike. */
export const paneRows: readonly (PaneRow & { name: PaneName })[] = panes;
