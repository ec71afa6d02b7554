// Module resolution. Finds which file a relative import names, with the extensions that `npx tsx` accepts, in its order.
import { fileURLToPath } from "node:url";

/** An import of "./greet.js" names greet.ts where that exists: TypeScript's own rule for what it compiles. */
const sourcesOf: Record<string, string[]> = {
  ".js": [".ts", ".js"],
  ".mjs": [".mts", ".mjs"],
  ".cjs": [".cts", ".cjs"],
};
const leftOut = [".ts", ".js", ".json"];

/** Is it the address of a file, and not the name of a package or of a part of Node? */
export const isRelative = (specifier: string) => /^(\.{0,2}\/|\.{1,2}$|file:)/.test(specifier);

/**
 * The files that a relative import may name, the first that exists being the one.
 * @param specifier "./greet", "./greet.ts", "../lib/", as it is written
 * @param importer absolute path of the file in which it is written
 */
export function candidates(specifier: string, importer: string): string[] {
  const path = fileURLToPath(new URL(specifier, `file://${encodeURI(importer).replaceAll("?", "%3F")}`));
  const inFolder = (folder: string) => leftOut.map(extension => `${folder}/index${extension}`);
  if (path.endsWith("/")) return inFolder(path.slice(0, -1));
  const extension = /\.\w+$/.exec(path)?.[0] ?? "";
  const sources = sourcesOf[extension];
  if (sources) return sources.map(source => path.slice(0, -extension.length) + source);
  return [path, ...leftOut.map(extension => path + extension), ...inFolder(path)];
}

export type ModuleKind = "typescript" | "javascript" | "json" | "native";

/** How a file is imported; "native" files (CommonJS, WebAssembly, add-ons) are left to Node. */
export function kindOf(path: string): ModuleKind {
  if (/\.m?ts$/.test(path)) return "typescript";
  if (/\.m?js$/.test(path)) return "javascript";
  return path.endsWith(".json") ? "json" : "native";
}
