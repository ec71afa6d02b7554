// Monaco parts. Three of Monaco's own files, changed as they are bundled. Each change looks for the text that it replaces, so that
// a new Monaco that has none of it stops the build with a sentence instead of growing the page.
import { readFileSync } from "node:fs";

const inMonaco = (path: string) =>
  new RegExp(`[\\\\/]monaco-editor[\\\\/]esm[\\\\/]vs[\\\\/]${path.replaceAll("/", "[\\\\/]")}$`);

/** Changes by file. */
const changes: [RegExp, (text: string, file: string) => string | Promise<string>][] = [
  // Monaco's own TypeScript worker would be built a second time (4 MB) beside ours, and never be loaded.
  [
    inMonaco("languages/features/typescript/workerManager.js"),
    text => replace(text, /new Worker\(new URL\('ts\.worker\.js'[^)]*\)[^)]*\)/, "undefined"),
  ],
  // This file asks for a worker and, to do so, imports every feature that Monaco has; editor/monaco.ts names ours.
  [inMonaco("internal/common/workers.js"), text => replace(text, /^import '[^']+';\n/gm, "")],
  [inMonaco("languages/features/typescript/lib/lib.js"), (_, file) => ecmaScriptOnly(file)],
];

/** @returns the changed text of a file of Monaco's, or undefined for every other file. */
export async function changedMonaco(file: string): Promise<string | undefined> {
  const change = changes.find(([path]) => path.test(file))?.[1];
  return change?.(readFileSync(file, "utf8"), file);
}

function replace(text: string, what: RegExp, by: string): string {
  const changed = text.replace(what, by);
  if (changed === text)
    throw new Error(`Monaco has changed: ${what} is no longer in it (build/monaco-parts.ts).`);
  return changed;
}

/** Monaco's copy of TypeScript's libraries, without those of browsers and of what is newer than Node 20. */
async function ecmaScriptOnly(file: string) {
  const map: Record<string, string> = (await import(file)).libFileMap;
  const kept = Object.entries(map).filter(
    ([name]) => /^lib\.(es5|es6|es20(1\d|2[0-3])|decorators)\b/.test(name) && !/\.full\.d\.ts$/.test(name),
  );
  const short = Object.fromEntries(
    kept.map(([name, text]) => [name, text.replace(/^\/\*![\s\S]*?\*\/\s*/, "")]),
  );
  return `export const libFileMap = JSON.parse(${JSON.stringify(JSON.stringify(short))});`;
}
