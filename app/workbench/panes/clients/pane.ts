// Clients pane. Real clients that the student sends to the program.
import { reloadable } from "../../../ui/reloadable.ts";
import { number } from "../../format.ts";
import type { Pane } from "../../pane.ts";

export const pane: Pane = {
  view: reloadable(() => import("./ClientsPane.tsx")),
  badge: ({ program }) => (program && program.visits.length > 0 ? number(program.visits.length) : null),
};
