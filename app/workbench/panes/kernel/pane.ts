// Kernel pane. The kernel's own state of the program's sockets.
import { reloadable } from "../../../ui/reloadable.ts";
import type { Pane } from "../../pane.ts";

export const pane: Pane = { view: reloadable(() => import("./KernelPane.tsx")) };
