// Checks pane. The lab's checks, with the evidence of each failure.
import { reloadable } from "../../../ui/reloadable.ts";
import type { Pane } from "../../pane.ts";

export const pane: Pane = {
  view: reloadable(() => import("./ChecksPane.tsx")),
  badge({ results }) {
    const states = [...results.values()].map(({ state }) => state);
    if (states.every(state => state === "not run")) return null;
    return `${states.filter(state => state === "passed").length}/${states.length}`;
  },
};
