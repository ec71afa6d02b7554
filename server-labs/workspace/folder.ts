// Workspace folder. Where the student's files are: alone in here, so that a checker finds it without all the rest.
import { join, resolve } from "node:path";
import { homeFolder } from "../lib/home.ts";

/** Where work is kept: $WORKBOOK_HOME, else ~/socket-workbook. */
export function workspaceFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.WORKBOOK_HOME ? resolve(env.WORKBOOK_HOME) : join(homeFolder(), "socket-workbook");
}
