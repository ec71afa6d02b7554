// What the workspace cannot do, in a sentence with the next step. No HTTP in here: api.ts knows the statuses.
import { errorInWords } from "./save.ts";
import { absent, UnfitText } from "./text.ts";

export type WorkspaceProblem =
  /** No such lab, or no such file in it. */
  | "unknown"
  /** The file was there and is gone. */
  | "missing"
  /** If-Match was not said, or names another text than the one on the disk. */
  | "required"
  | "conflict"
  /** What is on the disk, or what should be saved, is no text of a lab. */
  | "unfit"
  /** The file system refuses. */
  | "storage";

/** Why the workspace does not do what it is asked, as a sentence with the next step. */
export class WorkspaceError extends Error {
  override name = "WorkspaceError";
  readonly problem: WorkspaceProblem;
  /** What is on the disk instead, for a conflict; text is null when there is no file. */
  readonly current: { text: string | null; etag: string } | undefined;

  constructor(problem: WorkspaceProblem, sentence: string, current?: { text: string | null; etag: string }) {
    super(sentence);
    this.problem = problem;
    this.current = current;
  }
}

export function noSuchFile(lab: string, file: string, known: readonly string[]) {
  return new WorkspaceError("unknown", `The lab ${lab} has no file "${file}"; it has ${known.join(", ")}.`);
}

export function removed(path: string) {
  const sentence = `${path} was removed. Save to make it anew, or reset the lab to begin again from its starter.`;
  return new WorkspaceError("missing", sentence, { text: null, etag: absent });
}

/** The caller does not say which text it knows. */
export function unsaid(file: string) {
  const sentence = `Say which text you replace: If-Match with the ETag that reading ${file} gave.`;
  return new WorkspaceError("required", sentence);
}

/** The caller knows another text than the one that is there: it may not be replaced unseen. */
export function conflict(path: string, file: string, there: { text: string | null; etag: string }) {
  const sentence =
    there.text === null
      ? `${path} was removed since you read it. Save with If-Match: ${absent} to make it anew.`
      : `${file} has changed on the disk since you read it. Here is what it holds now; put both together and save again.`;
  return new WorkspaceError("conflict", sentence, there);
}

/** Does the work; whatever the file system or the text has against it becomes a WorkspaceError about this path. */
export async function inWords<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkspaceError) throw error;
    if (error instanceof UnfitText) throw new WorkspaceError("unfit", error.message);
    throw new WorkspaceError("storage", `${path}: ${errorInWords(error)}.`);
  }
}
