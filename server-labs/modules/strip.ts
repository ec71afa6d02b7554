// Type stripping. A student's TypeScript as JavaScript: types are blanked in place, so that every line and column stays
// where the student sees it and a stack trace needs no map.
import type TypeScript from "typescript";
import { type Construct, limits, type RefusalStatement, type RefusedReason } from "../protocol.ts";
import { kindOf } from "./resolve.ts";

/** An import that a text writes as a literal. */
export interface WrittenImport {
  specifier: string;
  /** From 1. */
  line: number;
  column: number;
  /** It is loaded before the first line runs; false for `import(…)`. */
  needed: boolean;
}

/** The JavaScript with the imports that it has, or why this text cannot run. */
export type Stripped =
  | { javascript: string; imports: WrittenImport[] }
  | { reason: RefusedReason; statement: RefusalStatement };

/** Blanks types, in this process or in another one. */
export type StripTypes = (file: string, text: string) => Promise<Stripped>;

/**
 * Blanks the types of one file; JavaScript stays as it is.
 * @param file its name in sentences: "server.ts"
 * @param text its text
 */
export async function strip(file: string, text: string): Promise<Stripped> {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.fileBytes) {
    const statement = { code: "file-too-long", file, bytes, mostBytes: limits.fileBytes } as const;
    return { reason: "too-long", statement };
  }
  const { ts, blankSourceFile } = await load();
  try {
    return blank(ts, blankSourceFile, file, text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { reason: "syntax", statement: { code: "nested-too-deeply", file } };
  }
}

/** Loads the compiler and runs it once, so that V8 has compiled what the first real run needs. */
export async function loadCompiler(): Promise<void> {
  await strip("server.ts", `${blank}\nconst types: string[] = [];`);
}

type Blank = typeof import("ts-blank-space").blankSourceFile;
let compiler: Promise<{ ts: typeof TypeScript; blankSourceFile: Blank }> | undefined;

/** The compiler is 9 MB of JavaScript: the first run loads it, or loadCompiler() before it. */
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
    kindOf(file) === "javascript" ? ts.ScriptKind.JS : ts.ScriptKind.TS,
  );
  const place = (at: number) => {
    const { line, character } = source.getLineAndCharacterOfPosition(at);
    return { file, line: line + 1, column: character + 1 };
  };
  // The parser collects these; the type is internal to TypeScript, the field has been there since 1.0.
  const { parseDiagnostics } = source as unknown as { parseDiagnostics: TypeScript.DiagnosticWithLocation[] };
  const [first] = parseDiagnostics;
  if (first) {
    const text = ts.flattenDiagnosticMessageText(first.messageText, " ").replace(/\.$/, "");
    return { reason: "syntax", statement: { code: "syntax-error", ...place(first.start), text } };
  }
  const unsupported: TypeScript.Node[] = [];
  const { decorators, specifiers } = partsOf(ts, source);
  unsupported.push(...decorators);
  const javascript =
    kindOf(file) === "javascript"
      ? text
      : blankSourceFile(source, node => unsupported.push(node as TypeScript.Node));
  const node = unsupported.sort((a, b) => a.getStart(source) - b.getStart(source))[0];
  if (!node) {
    const imports = specifiers.map(({ literal, needed }) => {
      const { line, column } = place(literal.getStart(source));
      return { specifier: literal.text, line, column, needed };
    });
    return { javascript, imports };
  }
  const at = place(node.getStart(source));
  if (ts.isDecorator(node)) return { reason: "unsupported", statement: { code: "decorator-unknown", ...at } };
  const construct = constructOf(ts, node);
  return { reason: "unsupported", statement: { code: "cannot-be-stripped", ...at, construct } };
}

/** What of TypeScript this node is that makes code of its own, and so cannot be blanked. */
function constructOf(ts: typeof TypeScript, node: TypeScript.Node): Construct {
  switch (node.kind) {
    case ts.SyntaxKind.EnumDeclaration:
      return "enum";
    case ts.SyntaxKind.ModuleDeclaration:
      return "namespace";
    case ts.SyntaxKind.Parameter:
    case ts.SyntaxKind.PublicKeyword:
    case ts.SyntaxKind.PrivateKeyword:
    case ts.SyntaxKind.ProtectedKeyword:
    case ts.SyntaxKind.ReadonlyKeyword:
    case ts.SyntaxKind.OverrideKeyword:
      return "parameter-property";
    case ts.SyntaxKind.ImportEqualsDeclaration:
      return "import-equals";
    case ts.SyntaxKind.ExportAssignment:
      return "export-equals";
    case ts.SyntaxKind.TypeAssertionExpression:
      return "angle-bracket-assertion";
    default:
      return "other";
  }
}

interface Parts {
  /** ts-blank-space does not blank them, and Node would call them an "Invalid or unexpected token". */
  decorators: TypeScript.Node[];
  /** The literals that name modules; those of types are blanked and load nothing. */
  specifiers: { literal: TypeScript.StringLiteral; needed: boolean }[];
}

function partsOf(ts: typeof TypeScript, root: TypeScript.Node): Parts {
  const parts: Parts = { decorators: [], specifiers: [] };
  const add = (node: TypeScript.Node | undefined, needed: boolean) => {
    if (node && ts.isStringLiteral(node)) parts.specifiers.push({ literal: node, needed });
  };
  const visit = (node: TypeScript.Node): void => {
    if (ts.isDecorator(node)) parts.decorators.push(node);
    else if (ts.isImportDeclaration(node) && !node.importClause?.isTypeOnly) add(node.moduleSpecifier, true);
    else if (ts.isExportDeclaration(node) && !node.isTypeOnly) add(node.moduleSpecifier, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return parts;
}
