// Types. The account's look at the types of a lab's files: starter, solution, alternatives, mutants and checks, as an editor
// would underline them. Programs run without it, because their types are only stripped.
import { dirname, join, relative } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type TypeScript from "typescript";
import type { Lab } from "../book.ts";
import { packageRoot } from "../lib/package-root.ts";
import { typescriptIn } from "./audit.ts";

/** For each lab the mistakes in its types: "file:line:column: what TypeScript says". */
export async function typeMistakes(labs: readonly Lab[]): Promise<Map<Lab, string[]>> {
  const { default: ts } = await import("typescript");
  const files = new Map(labs.flatMap(lab => filesOf(lab).map(file => [file, lab] as const)));
  const program = ts.createProgram([...files.keys()], optionsOf(ts));
  const mistakes = new Map<Lab, string[]>();
  for (const [file, lab] of files) {
    const source = program.getSourceFile(file);
    if (!source) continue;
    // All files together take long: the watch for loops (time-limit.ts) must see that each ends.
    await turn();
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    const sentences = found.map(({ start = 0, messageText }) => {
      const { line, character } = source.getLineAndCharacterOfPosition(start);
      const place = `${relative(process.cwd(), file)}:${line + 1}:${character + 1}`;
      return `${place}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
    mistakes.set(lab, [...(mistakes.get(lab) ?? []), ...sentences]);
  }
  return mistakes;
}

function filesOf(lab: Lab): string[] {
  const folder = dirname(lab.checksFile);
  return [
    ...lab.files.map(({ starter }) => starter),
    lab.solution,
    lab.checksFile,
    ...typescriptIn(join(folder, "alternatives")),
    ...typescriptIn(join(folder, "mutants")),
  ].filter(file => file.endsWith(".ts"));
}

/** The options that the editor has, and the modules that every lab may import, wherever its folder is. */
function optionsOf(ts: typeof TypeScript): TypeScript.CompilerOptions {
  const file = join(packageRoot, "tsconfig.base.json");
  const base = ts.readConfigFile(file, ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(base, ts.sys, packageRoot);
  const types = (name: string) => [join(packageRoot, "dist/server-labs", name)];
  return {
    ...options,
    noEmit: true,
    // A book in a folder of its own has no package.json that says so.
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts"],
    types: ["node"],
    typeRoots: [join(packageRoot, "node_modules/@types")],
    paths: {
      "workbook/net": types("runtime/net.d.ts"),
      "workbook/tasks": types("runtime/tasks.d.ts"),
      "workbook/check": types("check/check.d.ts"),
    },
  };
}
