// Where the student's work lies. Alone in here, so that a checker finds the file without all that keeps it.

import { join, resolve } from "node:path";
import { homeFolder } from "./home.ts";

/** Where work is kept: $WORKBOOK_HOME, else ~/socket-workbook. */
export function workspaceFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.WORKBOOK_HOME ? resolve(env.WORKBOOK_HOME) : join(homeFolder(), "socket-workbook");
}
