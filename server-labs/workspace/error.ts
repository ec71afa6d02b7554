// Workspace error. Why the workspace did not read or save a file.
import { errorInWords } from "../lib/atomic-save.ts";
import { Refusal } from "../lib/refusal.ts";
import { UnfitText } from "../lib/source-text.ts";

export class WorkspaceError extends Refusal {
  override name = "WorkspaceError";
}

/**
 * Does the work on this path.
 * @throws WorkspaceError "unfit-text", or "storage-failed" for an error of the file system
 */
export async function onPath<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkspaceError) throw error;
    if (error instanceof UnfitText) throw new WorkspaceError({ code: "unfit-text", why: error.message });
    throw new WorkspaceError({ code: "storage-failed", path, why: errorInWords(error) });
  }
}
