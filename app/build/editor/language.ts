// Editor language. What the editor's TypeScript knows, prepared by Vite: the declaration files as one lazy module, and Monaco without
// what a lab has no use for. A lab's program has no DOM: leaving that out saves 220 KB on the wire and half a second
// before the first red wave; the features that a lab does not use are as much again.
import type { Plugin } from "vite";
import { changedMonaco } from "./monaco-parts.ts";
import { nodeTypes, workbookTypes } from "./types.ts";

const types = "virtual:editor-types";
const workerImports = [
  "monaco-editor/editor/editor.worker",
  "monaco-editor/internal/common/initialize",
  "monaco-editor/languages/features/typescript/tsWorker",
];

/**
 * The Vite plugin; needed in `plugins` and, because a worker is a bundle of its own, in `worker.plugins`.
 * @param root the package's folder, where package.json and dist/ are
 */
export function editorLanguage(root: string): Plugin {
  return {
    name: "workbook:editor-language",
    // In development: what only a worker imports would be found late, and each find loads the page anew.
    config: () => ({ optimizeDeps: { include: workerImports } }),
    resolveId: id => (id === types ? `\0${types}` : undefined),
    load(id) {
      if (id !== `\0${types}`) return changedMonaco(id);
      const files = { ...workbookTypes(root, this), ...nodeTypes(root) };
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(files))});`;
    },
  };
}
