// Module graph. The files that a built script imports, and what those import, wherever they lie.
// Nothing is executed: the compiler writes each specifier as a literal, so the text of the file has them all.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** `import "./a.js"`, `import { a } from "./a.js"`, `export … from "./a.js"`, `await import("./a.js")`. */
const specifiers = /\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

/**
 * The entry and every file that it reaches by relative imports, packages left out. A file that cannot be read is in the
 * list too: it may exist at the next call.
 * @param entry absolute path of a built script
 * @param found called with each file before the file is read
 */
export function moduleGraph(entry: string, found: (file: string) => void = () => {}): string[] {
  const files = new Set([entry]);
  for (const file of files) {
    found(file);
    for (const [, specifier] of textOf(file).matchAll(specifiers)) files.add(join(dirname(file), specifier!));
  }
  return [...files];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // not built: then no program starts either, and the start reports it
  }
}
