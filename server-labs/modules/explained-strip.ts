// Explained strip. TypeScript as JavaScript for a program that runs already: what cannot be stripped is an error that says so.
import { basename } from "node:path";
import { sentence } from "../protocol.ts";
import { strip } from "./strip.ts";

/** @throws SyntaxError with a sentence that names the place */
export async function explainedStrip(path: string, text: string): Promise<string> {
  const stripped = await strip(basename(path), text);
  if ("javascript" in stripped) return stripped.javascript;
  throw new SyntaxError(sentence(stripped.statement));
}
