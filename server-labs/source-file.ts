// One source file of the workspace on the disk: read and replaced through links that stay in the workspace, never
// through one that leads out of it.
import { realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import { createFile, replaceFile } from "./save.ts";
import { readBytes, UnfitText } from "./text.ts";
import { inWords } from "./workspace-error.ts";

/**
 * @param root the workspace, with no link in it
 * @returns the file's bytes, or null if there is none
 * @throws WorkspaceError "unfit" for a folder, a FIFO, a file that is too long or lies outside; "storage"
 */
export function readSource(root: string, path: string): Promise<Buffer | null> {
  return inWords(path, async () => {
    const target = await targetOf(root, path);
    return target === null ? null : (await readBytes(target, path)).bytes;
  });
}

/** Replaces the file, or makes it; its mode stays. @throws WorkspaceError "unfit" or "storage" */
export function replaceSource(root: string, path: string, bytes: Uint8Array): Promise<void> {
  return inWords(path, async () => {
    // A student may link server.ts to another file of the workspace; the link stays, its target is replaced.
    const target = await targetOf(root, path);
    if (target === null) return createFile(path, bytes);
    const { mode } = await stat(target);
    // A rename would replace it all the same, but whoever took the right to write away meant something by it.
    if ((mode & 0o200) === 0)
      throw new UnfitText(`${path} is read-only. Make it writable with chmod u+w, then save again.`);
    await replaceFile(target, bytes, mode & 0o777);
  });
}

/** @throws UnfitText when the path is, or leads, outside of the workspace */
export async function staysInside(root: string, path: string): Promise<void> {
  const real = await realpath(path);
  if (real !== root && !real.startsWith(root + sep))
    throw new UnfitText(
      `${path} leads out of the workspace, to ${real}. Remove that link; nothing outside is read or written.`,
    );
}

async function targetOf(root: string, path: string): Promise<string | null> {
  const target = await realpath(path).catch(error => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  });
  if (target !== null) await staysInside(root, target);
  return target;
}
