// Docs of workbook/net. What its doc comments say of each function, method, type and constant that a lab imports. Call cards,
// the reference page and the editor's hovers are made from the same comments, so that they cannot differ.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isTracedCall, type TracedCall } from "../../../server-labs/protocol.ts";

/** The file whose exports are workbook/net. */
const door = fileURLToPath(new URL("../../../server-labs/runtime/net.ts", import.meta.url));

export interface NetDoc {
  /** As prose names it: "Socket", "new Socket", "Socket.recv", "poll", "AF_INET", "Ready.fd". */
  name: string;
  /** The fragment of its place in the reference. */
  anchor: string;
  kind: "class" | "function" | "constant" | "type" | "property";
  /** The class or type that it is a part of; "" for an export itself. */
  owner: string;
  /** As TypeScript writes it, without a body; a default value is shown. */
  signature: string;
  /** Markdown: what it does. */
  text: string;
  parameters: { name: string; text: string }[];
  /** Markdown; null without a @returns. */
  returns: string | null;
  /** The errno of each error that the comment names, and when it comes; "" for errors of another kind. */
  errors: { code: string; text: string }[];
  /** The system call that it makes; null when its comment names no traced call. */
  call: TracedCall | null;
}

/** The fragment of a name's place in the reference: "Socket.recv" → "socket-recv". */
const anchorOf = (name: string): string => name.toLowerCase().replaceAll(/[ .]/g, "-");

let read: NetDoc[] | undefined;

/** Everything that workbook/net exports and explains, in the order of its files. */
export function netDocs(): NetDoc[] {
  read ??= exportsOf(door);
  return read;
}

function exportsOf(file: string): NetDoc[] {
  const text = readFileSync(file, "utf8");
  const docs: NetDoc[] = [];
  for (const [, list, path] of text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from "(\.[^"]+)";/gm)) {
    const names = [...list!.matchAll(/(?:type )?(\w+)/g)].map(match => match[1]!).filter(n => n !== "type");
    const all = docsOf(readFileSync(join(dirname(file), path!), "utf8"));
    docs.push(...all.filter(({ name, owner }) => list === "*" || names.includes(owner || name)));
  }
  return docs;
}

/** What a TypeScript source explains: its exports, and the members of its classes and interfaces. */
export function docsOf(source: string): NetDoc[] {
  const docs: NetDoc[] = [];
  let owner: NetDoc | null = null;
  const lines = source.split("\n");
  for (let at = 0; at < lines.length; at++) {
    if (lines[at] === "}") owner = null;
    if (!/^ *\/\*\*/.test(lines[at]!)) continue;
    const from = at;
    while (!lines[at]!.includes("*/")) at++;
    const doc = docAt(lines, from, at + 1, owner);
    if (doc) docs.push(doc);
    if (doc?.owner === "" && lines[at + 1]!.endsWith("{") && doc.kind !== "function") owner = doc;
  }
  return docs;
}

const exported = /^export (?:declare )?(?:async )?(class|function|const|interface|type) (\w+)/;
const member = /^ {2}(?:readonly )?(\w+)\??(\(|:)/;

/** The doc of the declaration that begins at line `at`, below a comment from line `from`; null for what is not public. */
function docAt(lines: string[], from: number, at: number, owner: NetDoc | null): NetDoc | null {
  const line = lines[at] ?? "";
  const [, keyword, name] = exported.exec(line) ?? [];
  const [, part, sign] = (owner && member.exec(line)) ?? [];
  if (!name && !part) return null;
  const kind = name ? kinds[keyword!]! : sign === "(" ? "function" : "property";
  const full = name ?? (part === "constructor" ? `new ${owner!.name}` : `${owner!.name}.${part}`);
  const comment = commentOf(lines.slice(from, at));
  const call = [...comment.text.matchAll(/\b(\w+)\(2\)/g)].map(match => match[1]!).find(isTracedCall);
  return {
    name: full,
    anchor: anchorOf(full),
    kind,
    owner: name ? "" : owner!.name,
    signature: signatureOf(lines, at, full, kind),
    ...comment,
    call: kind === "function" && call ? call : null,
  };
}

const kinds: Record<string, NetDoc["kind"]> = {
  class: "class",
  function: "function",
  const: "constant",
  interface: "type",
  type: "type",
};

/** The declaration without its body, as one would call it: "socket.recv(size: number, flags = 0): Buffer | null". */
function signatureOf(lines: string[], at: number, name: string, kind: NetDoc["kind"]): string {
  if (kind === "class" || (kind === "type" && lines[at]!.endsWith("{"))) return name;
  let end = at;
  let depth = 0;
  for (; end < lines.length; end++) {
    for (const sign of lines[end]!) depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
    if (depth === 0 && /[{;]$/.test(lines[end]!)) break;
  }
  const own = name.split(".").at(-1)!;
  // The signatures of an overload follow the first, each on its line.
  while (lines[end + 1]?.startsWith(`  ${own}(`) && lines[end + 1]!.endsWith(";")) end++;
  const shown = lines.slice(at, end + 1).map(line => line.replace(/^ {2}/, kind === "function" ? "" : "  "));
  const prefix = name.includes(".") && kind === "function" ? `${name.split(".")[0]!.toLowerCase()}.` : "";
  return shown
    .join("\n")
    .trim()
    .replace(/^export (?:function|const|type) /, "")
    .replace(/^constructor/, name)
    .replaceAll(new RegExp(`^${own}(?=\\()`, "gm"), `${prefix}${own}`)
    .replaceAll(/ ?[{;]$/gm, "");
}

type Comment = Pick<NetDoc, "text" | "parameters" | "returns" | "errors">;

function commentOf(lines: string[]): Comment {
  const text = lines
    .join("\n")
    .replace(/^ *\/\*\*|\*\/ *$/g, "")
    .replaceAll(/^ *\* ?/gm, "");
  const [words = "", ...tags] = text.split(/^@(?=\w)/m).map(part => part.trim());
  const comment: Comment = { text: words, parameters: [], returns: null, errors: [] };
  for (const tag of tags) {
    const [, name = "", rest = ""] = /^(\w+)\s*([\s\S]*)$/.exec(tag) ?? [];
    const [, first = "", more = ""] = /^(\S+)\s+([\s\S]*)$/.exec(rest) ?? [];
    if (name === "param") comment.parameters.push({ name: first, text: oneLine(more) });
    if (name === "returns") comment.returns = oneLine(rest);
    if (name === "throws") comment.errors.push(...errorsOf(oneLine(rest)));
  }
  return comment;
}

const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, " ").trim();

/** "SyscallError EADDRINUSE when …, EACCES for …" → one error for each errno. */
function errorsOf(text: string): NetDoc["errors"] {
  return text.split(/[,;] (?=E[A-Z]{3,} |TypeError)/).map(part => {
    const [, code, rest] = /^(?:SyscallError )?(E[A-Z]{3,})\s+(.*)$/.exec(part) ?? [];
    return code ? { code, text: rest! } : { code: "", text: part };
  });
}
