// Monaco. The bare editor with the features that a lab needs, TypeScript and its worker; no labs and no React.
import * as monaco from "monaco-editor/editor/editor.api";
import "monaco-editor/editor/browser/coreCommands";
import "monaco-editor/editor/browser/widget/codeEditor/codeEditorWidget";
import "monaco-editor/editor/common/standaloneStrings";
import "monaco-editor/editor/contrib/bracketMatching/browser/bracketMatching";
import "monaco-editor/editor/contrib/caretOperations/browser/caretOperations";
import "monaco-editor/editor/contrib/clipboard/browser/clipboard";
import "monaco-editor/editor/contrib/codeAction/browser/codeActionContributions";
import "monaco-editor/editor/contrib/comment/browser/comment";
import "monaco-editor/editor/contrib/contextmenu/browser/contextmenu";
import "monaco-editor/editor/contrib/cursorUndo/browser/cursorUndo";
import "monaco-editor/editor/contrib/find/browser/findController";
import "monaco-editor/editor/contrib/format/browser/formatActions";
import "monaco-editor/editor/contrib/gotoError/browser/gotoError";
import "monaco-editor/editor/contrib/gotoSymbol/browser/goToCommands";
import "monaco-editor/editor/contrib/hover/browser/hoverContribution";
import "monaco-editor/editor/contrib/indentation/browser/indentation";
import "monaco-editor/editor/contrib/lineSelection/browser/lineSelection";
import "monaco-editor/editor/contrib/linesOperations/browser/linesOperations";
import "monaco-editor/editor/contrib/multicursor/browser/multicursor";
import "monaco-editor/editor/contrib/parameterHints/browser/parameterHints";
import "monaco-editor/editor/contrib/rename/browser/rename";
import "monaco-editor/editor/contrib/smartSelect/browser/smartSelect";
import "monaco-editor/editor/contrib/snippet/browser/snippetController2";
import "monaco-editor/editor/contrib/suggest/browser/suggestController";
import "monaco-editor/editor/contrib/toggleTabFocusMode/browser/toggleTabFocusMode";
import "monaco-editor/editor/contrib/tokenization/browser/tokenization";
import "monaco-editor/editor/contrib/wordOperations/browser/wordOperations";
import "monaco-editor/editor/standalone/browser/iPadShowKeyboard/iPadShowKeyboard";
import "monaco-editor/editor/standalone/browser/quickAccess/standaloneCommandsQuickAccess";
import "monaco-editor/editor/standalone/browser/quickAccess/standaloneGotoLineQuickAccess";
import "monaco-editor/features/codicon/register";
import "monaco-editor/languages/definitions/typescript/register";
import EditorWorker from "monaco-editor/editor/editor.worker?worker";
import * as typescript from "monaco-editor/languages/features/typescript/register";
import { referenceId } from "../../book.ts";
import { onPaletteChange } from "../palette.ts";
import { completeImports } from "./imports.ts";
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
  allowJs: true,
  resolveJsonModule: true,
  allowNonTsExtensions: true,
};
typescript.typescriptDefaults.setCompilerOptions(compilerOptions as typescript.CompilerOptions);
typescript.typescriptDefaults.setDiagnosticsOptions({ onlyVisible: true });
typescript.typescriptDefaults.setEagerModelSync(true);

/** What labs may import, with its doc comments; until it is here, nothing is called wrong. */
const types = import("virtual:editor-types").then(({ default: files }) => {
  typescript.typescriptDefaults.setExtraLibs(
    Object.entries(files).map(([filePath, content]) => ({
      filePath,
      // A link in a hover needs the whole address.
      content: content.replaceAll(`](/${referenceId}#`, `](${location.origin}/${referenceId}#`),
    })),
  );
});

const json = new Map<string, { dispose(): void }>();

/** Makes this the JSON that programs import from an address; null for no such file. */
export function setJson(address: string, text: string | null): void {
  // What is set above replaces all that was added before.
  void types.then(() => {
    json.get(address)?.dispose();
    json.delete(address);
    if (text !== null) json.set(address, typescript.typescriptDefaults.addExtraLib(text, address));
  });
}

completeImports();
defineTheme();
onPaletteChange(defineTheme);

export { monaco };
