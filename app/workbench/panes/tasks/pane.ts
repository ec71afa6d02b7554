// Tasks pane. What the program's tasks do: which runs, which are ready, and what the others wait for.
import { reloadable } from "../../../ui/reloadable.ts";
import { number } from "../../format.ts";
import type { Pane } from "../../pane.ts";

export const pane: Pane = {
  view: reloadable(() => import("./TasksPane.tsx")),
  badge: ({ program }) => (program?.tasks?.warned ? `! ${number(program.tasks.warned)}` : null),
  // A program may import workbook/tasks though the lab begins without it: its tasks show that.
  isOffered: ({ lab, program }) => !!program?.tasks || lab.starter.includes("workbook/tasks"),
};
