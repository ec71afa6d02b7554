// Nearest lesson. The lesson that an address with a slip was probably meant for.
import { nearest } from "../../server-labs/protocol.ts";

/** @returns the id of the lesson, or null if no lesson's id or last part is near */
export function nearestLesson(asked: string, ids: readonly string[]): string | null {
  // The usual mistake of a reader who looks at the files: a folder's name with its number.
  const plain = asked.toLowerCase().replace(/(^|\/)\d+-/g, "$1");
  const whole = nearest(plain, ids);
  if (whole !== undefined) return whole;
  const part = nearest(lastPart(plain), ids.map(lastPart));
  return ids.find(id => lastPart(id) === part) ?? null;
}

const lastPart = (id: string): string => id.slice(id.lastIndexOf("/") + 1);
