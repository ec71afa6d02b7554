// Output pane. What the program prints.
import { reloadable } from "../../../ui/reloadable.ts";
import type { Pane } from "../../pane.ts";

export const pane: Pane = { view: reloadable(() => import("./OutputPane.tsx")) };
