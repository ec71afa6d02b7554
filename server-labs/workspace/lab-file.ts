// Lab file. What a text in a lab's folder may be: a regular file of bounded length, which is no link.
import { limits } from "../protocol.ts";
import { onPath, WorkspaceError } from "./error.ts";
import type { Found, Listing, OpenFolder } from "./tree.ts";

/** Files of these kinds are texts that a page shows; names with a dot in front are the workbook's and git's own. */
const shown = /^[A-Za-z0-9_][\w.-]*\.(?:[cm]?[jt]s|json|txt|md|html|css|csv)$/;

/** May a page or a shell give a file of a lab's folder this name? It has no folder in it. */
export const isOwnName = (name: string) => shown.test(name) && name.length <= limits.fileNameLength;

/** The names among these that a page shows, sorted, at most limits.labFiles; and whether there are, or may be, more. */
export function ownNames({ entries, whole }: Listing): { names: string[]; crowded: boolean } {
  const names = entries
    .filter(({ name, kind }) => kind === "file" && isOwnName(name))
    .map(({ name }) => name);
  return { names: names.sort().slice(0, limits.labFiles), crowded: !whole || names.length > limits.labFiles };
}

/**
 * The bytes of what was found under this path; null where there is no file.
 * @param given the lab begins with this file: something else in its place is a mistake, and not another thing's name
 * @throws WorkspaceError "link-not-followed", "unfit-text" for a file that is too long and for a folder or a FIFO
 */
export function bytesOf(found: Found, path: string, given: boolean): Buffer | null {
  if (found.kind === "file") return found.bytes;
  if (found.kind === "none") return null;
  if (found.kind === "link") throw new WorkspaceError({ code: "link-not-followed", path });
  if (found.kind === "long") {
    const why = `${path} has ${found.size} bytes; a lab's file may have ${limits.fileBytes}. Make it shorter.`;
    throw new WorkspaceError({ code: "unfit-text", why });
  }
  if (!given) return null;
  const what =
    found.kind === "folder"
      ? `There is a folder where ${path} should be. Move it away`
      : `${path} is not a regular file. Move it away`;
  throw new WorkspaceError({ code: "unfit-text", why: `${what}, then open the lab again.` });
}

/** Reads a file of the lab's folder. @throws as bytesOf(), and "storage-failed" */
export function readLabFile(folder: OpenFolder, name: string, given: boolean): Promise<Buffer | null> {
  const path = `${folder.path}/${name}`;
  return onPath(path, async () => bytesOf(await folder.find(name, limits.fileBytes), path, given));
}

/**
 * Replaces the file, or makes it; its mode stays.
 * @param stillThere called when the new text is on the disk, just before it gets the name: it throws where the file is
 *   another one than the caller knows
 * @throws WorkspaceError "read-only-file", "storage-failed", and those of bytesOf(); EEXIST where a file came meanwhile
 */
export async function replaceLabFile(
  folder: OpenFolder,
  name: string,
  bytes: Uint8Array,
  options: { given: boolean; stillThere?: () => Promise<void> },
): Promise<void> {
  const path = `${folder.path}/${name}`;
  const found = await folder.find(name, limits.fileBytes);
  if (bytesOf(found, path, options.given) === null) return folder.create(name, bytes);
  const { mode } = found as Extract<Found, { kind: "file" }>;
  // A rename would replace a read-only file all the same, but its owner made it read-only on purpose.
  if ((mode & 0o200) === 0) throw new WorkspaceError({ code: "read-only-file", path });
  await folder.replace(name, bytes, mode, options.stillThere);
}
