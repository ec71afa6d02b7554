// A lab's folder, made when the lab is opened for the first time. A starter is copied once and never over anything: what
// a person has changed stays changed, what a person has removed stays removed.
import { existsSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { starterBytes } from "./book/starter.ts";
import type { Lab } from "./book.ts";
import { furnish, linkDocumentRoot } from "./furnish.ts";
import { historyOf } from "./history.ts";
import { createFile, sweep } from "./save.ts";
import { staysInside } from "./source-file.ts";

/** Makes the folder of a lab in the workspace `root`, or what is missing of it. @throws Error of the file system */
export async function layDown(
  root: string,
  folder: string,
  files: Lab["files"],
  packageRoot: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Somebody may have removed the whole workspace meanwhile, and what editors need in it with it.
  if (!existsSync(join(root, "node_modules/workbook"))) await furnish(root, packageRoot);
  await staysInside(root, folder);
  for (const { file, starter } of files) {
    // That there is a history says that the file was given once: if it is gone, a person has removed it.
    const given = await stat(historyOf(folder, file)).catch(() => null);
    if (given) continue;
    await createFile(join(folder, file), await starterBytes(starter)).catch(unlessThere);
    await mkdir(historyOf(folder, file), { recursive: true });
  }
  await linkDocumentRoot(folder, packageRoot);
  await sweep(folder);
}

function unlessThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}
