// Importers. Which files of a lab's folder import one of them by its name.

/** What may be left out of a name, and .js for .ts, as `npx tsx` and TypeScript find it. */
const endings: Record<string, string> = {
  ts: "(\\.[tj]s)?",
  mts: "\\.m[tj]s",
  cts: "\\.c[tj]s",
  js: "(\\.js)?",
};

/**
 * @param file the name of the imported file: "greet.ts"
 * @param others the other files of the folder
 * @returns the names of those that import it, or lead to it by new URL or fork()
 */
export function importersOf(file: string, others: readonly { file: string; text: string }[]): string[] {
  const dot = file.lastIndexOf(".");
  const extension = file.slice(dot + 1);
  const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const named = escaped(file.slice(0, dot)) + (endings[extension] ?? escaped(file.slice(dot)));
  const pattern = new RegExp(`(["'\`])\\./${named}\\1`);
  return others.filter(({ text }) => pattern.test(text)).map(other => other.file);
}
