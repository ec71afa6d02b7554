// Document root. The folder `html` of a lab whose server serves files: a copy of the workbook's own `html`, so that the
// student may change, break and remove files there, and a program that climbs out of it finds the student's own text.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { namesNow, type OpenFolder } from "./tree.ts";

/**
 * Copies the document root into a lab's folder, where it is missing. The first edition made a link to the workbook's
 * own folder: a copy takes its place.
 * @param packageRoot the clone whose `html` is copied
 * @throws the file system's error; the lab's folder is then without a part of it
 */
export async function copyDocumentRoot(labFolder: OpenFolder, packageRoot: string): Promise<void> {
  const { kind } = await labFolder.find("html", 0);
  if (kind !== "none" && kind !== "link") return;
  const from = join(packageRoot, "html");
  const names = namesNow(from);
  if (names.length === 0) return;
  const beside = `.html.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await labFolder.makeFolder(beside);
    await labFolder.inside(beside, async folder => {
      // As root, programs run as another user, who must be able to read this whatever root's umask is.
      await folder.permit(0o755);
      for (const name of names) await folder.copyIn(join(from, name), name, 0o644);
    });
    if (kind === "link") await labFolder.remove("html");
    await labFolder.rename(beside, "html");
  } catch (error) {
    await labFolder.removeFolder(beside).catch(() => {});
    throw error;
  }
}
