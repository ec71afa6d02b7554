// A student's TypeScript as JavaScript: types are blanked in place, so that every line and column stays where the
// student sees it and a stack trace needs no map. What cannot be run is refused with a sentence and its place.
import type TypeScript from "typescript";
import { limits, type RefusedReason } from "./protocol.ts";

/** What is run, or why nothing is. Lines and columns count from 1; columns in UTF-16 units, as editors do. */
export type Stripped =
  | { javascript: string }
  | { reason: RefusedReason; sentence: string; line?: number; column?: number };

/**
 * Blanks the types of one file.
 * @param file how sentences name it: "server.ts"
 * @param text its text
 */
export async function strip(file: string, text: string): Promise<Stripped> {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.fileBytes) {
    const [is, most] = [bytes, limits.fileBytes].map(n => `${Math.ceil(n / 1024)} KB`);
    return {
      reason: "too-long",
      sentence: `${file} is ${is} long; a lab's file may have ${most}. Make it shorter.`,
    };
  }
  const { ts, blankSourceFile } = await load();
  try {
    return blank(ts, blankSourceFile, file, text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const sentence = `${file} is nested too deeply: its brackets, blocks or operators reach thousands of levels. Split it up.`;
    return { reason: "syntax", sentence };
  }
}

/** Loads what strip() needs, and lets it run once: until then every line of it is new to V8. */
export async function loadCompiler(): Promise<void> {
  await strip("server.ts", `${blank}\nconst types: string[] = [];`);
}

type Blank = typeof import("ts-blank-space").blankSourceFile;
let compiler: Promise<{ ts: typeof TypeScript; blankSourceFile: Blank }> | undefined;

/** The compiler is 9 MB of JavaScript: it is loaded by the first run, or before it when there is time. */
function load() {
  compiler ??= Promise.all([import("typescript"), import("ts-blank-space")]).then(
    ([ts, { blankSourceFile }]) => ({
      ts: ts.default,
      blankSourceFile,
    }),
  );
  return compiler;
}

function blank(ts: typeof TypeScript, blankSourceFile: Blank, file: string, text: string): Stripped {
  const source = ts.createSourceFile(
    file,
    text,
    { languageVersion: ts.ScriptTarget.ESNext, impliedNodeFormat: ts.ModuleKind.ESNext },
    false,
    ts.ScriptKind.TS,
  );
  const place = (at: number) => {
    const { line, character } = source.getLineAndCharacterOfPosition(at);
    return { line: line + 1, column: character + 1 };
  };
  // The parser collects these; the type is internal to TypeScript, the field has been there since 1.0.
  const { parseDiagnostics } = source as unknown as { parseDiagnostics: TypeScript.DiagnosticWithLocation[] };
  const [first] = parseDiagnostics;
  if (first) {
    const message = ts.flattenDiagnosticMessageText(first.messageText, " ").replace(/\.$/, "");
    const at = place(first.start);
    return {
      reason: "syntax",
      sentence: `${file}:${at.line}:${at.column}: ${message}. Nothing was run.`,
      ...at,
    };
  }
  const unsupported: TypeScript.Node[] = [];
  const decorator = firstDecorator(ts, source);
  if (decorator) unsupported.push(decorator);
  const javascript = blankSourceFile(source, node => unsupported.push(node as TypeScript.Node));
  const node = unsupported.sort((a, b) => a.getStart(source) - b.getStart(source))[0];
  if (!node) return { javascript };
  const at = place(node.getStart(source));
  const sentence = `${file}:${at.line}:${at.column}: ${whyNot(ts, node)} Nothing was run.`;
  return { reason: "unsupported", sentence, ...at };
}

/** TypeScript that makes code of its own cannot be blanked; each has a plain JavaScript way to say it. */
function whyNot(ts: typeof TypeScript, node: TypeScript.Node): string {
  const needs = (what: string, instead: string) =>
    `${what} would have to be translated, but a lab's types are only taken away; ${instead}`;
  switch (node.kind) {
    case ts.SyntaxKind.EnumDeclaration:
      return needs("An enum", "write const Colour = { Red: 0, Green: 1 } as const instead.");
    case ts.SyntaxKind.ModuleDeclaration:
      return needs("A namespace", "use a module (a file of its own) or a plain object instead.");
    case ts.SyntaxKind.Parameter:
    case ts.SyntaxKind.PublicKeyword:
    case ts.SyntaxKind.PrivateKeyword:
    case ts.SyntaxKind.ProtectedKeyword:
    case ts.SyntaxKind.ReadonlyKeyword:
    case ts.SyntaxKind.OverrideKeyword:
      return needs(
        "A parameter property",
        "declare the field in the class and set it in the constructor instead.",
      );
    case ts.SyntaxKind.ImportEqualsDeclaration:
      return needs("import =", 'write import x from "…" instead.');
    case ts.SyntaxKind.ExportAssignment:
      return needs("export =", "write export default instead.");
    case ts.SyntaxKind.TypeAssertionExpression:
      return needs("A type assertion in angle brackets", "write value as Type instead.");
    case ts.SyntaxKind.Decorator:
      return "Node does not know decorators yet; call the function yourself instead.";
    default:
      return needs("This piece of TypeScript", "write it in plain JavaScript instead.");
  }
}

/** ts-blank-space leaves decorators standing, and Node would call them an "Invalid or unexpected token". */
function firstDecorator(ts: typeof TypeScript, root: TypeScript.Node): TypeScript.Node | undefined {
  const visit = (node: TypeScript.Node): TypeScript.Node | undefined =>
    ts.isDecorator(node) ? node : ts.forEachChild(node, visit);
  return visit(root);
}
