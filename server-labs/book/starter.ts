// Starter. The text that a student's file starts from: a lab's starter without the region marks by which prose includes
// parts of it. Page and workspace both get it here, so that an untouched file is the same on both sides.
import { readBytes } from "../lib/source-text.ts";

export const mark = /^[ \t]*(?:\/\/|#|--)[ \t]*#(region|endregion)\b[ \t]*([\w-]*)[ \t]*$/;

/** A source without its region marks. */
export function withoutMarks(text: string): string {
  return text
    .split("\n")
    .filter(line => !mark.test(line))
    .join("\n");
}

/**
 * The bytes that a lab's file starts from.
 * @throws UnfitText, or the error of the file system
 */
export async function starterBytes(path: string): Promise<Buffer> {
  return Buffer.from(withoutMarks((await readBytes(path, path)).bytes.toString()));
}
