// Monaco, made ready once: the bare editor with the features that a lab needs, TypeScript and its worker.
// Nothing here knows of labs or of React.
import * as monaco from "monaco-editor/editor/editor.api";
import "monaco-editor/features/codicon/register";
import "monaco-editor/features/codeEditor/register";
import "monaco-editor/features/anchorSelect/register";
import "monaco-editor/features/bracketMatching/register";
import "monaco-editor/features/caretOperations/register";
import "monaco-editor/features/clipboard/register";
import "monaco-editor/features/codeAction/register";
import "monaco-editor/features/comment/register";
import "monaco-editor/features/contextmenu/register";
import "monaco-editor/features/cursorUndo/register";
import "monaco-editor/features/find/register";
import "monaco-editor/features/folding/register";
import "monaco-editor/features/format/register";
import "monaco-editor/features/gotoError/register";
import "monaco-editor/features/gotoLine/register";
import "monaco-editor/features/gotoSymbol/register";
import "monaco-editor/features/hover/register";
import "monaco-editor/features/indentation/register";
import "monaco-editor/features/lineSelection/register";
import "monaco-editor/features/linesOperations/register";
import "monaco-editor/features/multicursor/register";
import "monaco-editor/features/parameterHints/register";
import "monaco-editor/features/quickCommand/register";
import "monaco-editor/features/quickHelp/register";
import "monaco-editor/features/referenceSearch/register";
import "monaco-editor/features/rename/register";
import "monaco-editor/features/smartSelect/register";
import "monaco-editor/features/snippet/register";
import "monaco-editor/features/suggest/register";
import "monaco-editor/features/tokenization/register";
import "monaco-editor/features/wordHighlighter/register";
import "monaco-editor/features/wordOperations/register";
import "monaco-editor/languages/definitions/typescript/register";
import EditorWorker from "monaco-editor/editor/editor.worker?worker";
import * as typescript from "monaco-editor/languages/features/typescript/register";
import { onPaletteChange } from "../palette.ts";
import { defineTheme } from "./theme.ts";
import TypeScriptWorker from "./typescript.worker.ts?worker";

self.MonacoEnvironment = {
  getWorker: (_, label) => (label === "typescript" ? new TypeScriptWorker() : new EditorWorker()),
};

/** The same rules as the package's tsconfig.base.json; Monaco's own types know fewer of them than its compiler. */
const compilerOptions = {
  target: 9, // ES2022
  module: 99, // ESNext: there is no package.json in here to ask, and every lab is a module
  moduleResolution: 100, // Bundler: as NodeNext, but for that question
  moduleDetection: 3, // Force: two labs without an import do not share their names
  lib: ["lib.es2023.d.ts"],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noFallthroughCasesInSwitch: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  allowNonTsExtensions: true,
};
typescript.typescriptDefaults.setCompilerOptions(compilerOptions as typescript.CompilerOptions);
typescript.typescriptDefaults.setDiagnosticsOptions({ onlyVisible: true });
typescript.typescriptDefaults.setEagerModelSync(true);

/** What labs may import, with its doc comments; until it is here, nothing is called wrong. */
export const typesReady = import("virtual:editor-types").then(({ default: files }) => {
  typescript.typescriptDefaults.setExtraLibs(
    Object.entries(files).map(([filePath, content]) => ({ filePath, content })),
  );
});

defineTheme();
onPaletteChange(defineTheme);

export { monaco };
