// Program search. The path of a program as a shell finds it, and in the folders that only root has in its PATH.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian installs servers, nginx for one, into folders that only root has in its PATH. */
export const serverFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** @param beside folders to search behind those of the PATH */
export function findOnPath(program: string, beside: readonly string[] = []): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...beside];
  return folders.map(folder => join(folder, program)).find(existsSync);
}
