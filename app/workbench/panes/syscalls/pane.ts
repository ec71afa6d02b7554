// Syscalls pane. The program's system calls, one by one.
import { reloadable } from "../../../ui/reloadable.ts";
import { roundedCount } from "../../format.ts";
import type { Pane } from "../../pane.ts";

export const pane: Pane = {
  view: reloadable(() => import("./SyscallsPane.tsx")),
  badge: ({ program }) => (program && program.calls > 0 ? roundedCount(program.calls) : null),
};
