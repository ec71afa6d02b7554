// Fingerprint. Tells whether a file, or anything in a folder, was changed since it was last read.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Name, size and time of the file, or of every file in the folder and the folders below it; "" when it does not exist. */
export function fingerprintOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return "";
  if (!stat.isDirectory()) return `${path} ${stat.size} ${stat.mtimeMs}\n`;
  return `${path}\n${namesIn(path)
    .map(name => fingerprintOf(join(path, name)))
    .join("")}`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Git has taken it away since it was looked at.
    return [];
  }
}
