// Call card. What a reader needs to know of one function of workbook/net before using it: signature, arguments, result, waiting,
// errors, man page. Its words are the function's doc comment and the row of its system call in the table of calls.
import type { Nodes } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import { callRows, errnoWords, suggestion } from "../../../server-labs/protocol.ts";
import { type NetDoc, netDocs } from "./net-docs.ts";
import { type Directive, type DirectiveNode, directiveNode, type Page, parseMarkdown } from "./page.ts";
import { man } from "./references.ts";

/** `::call[recv]`: a function by its name, with its class where two have the name: `::call[Epoll.poll]`. */
export function callDirective(node: Directive, page: Page): DirectiveNode | null {
  const name = textOf(node);
  const functions = netDocs().filter(({ kind }) => kind === "function");
  const exact = functions.filter(doc => doc.name === name);
  const found = exact.length > 0 ? exact : functions.filter(doc => doc.name.endsWith(`.${name}`));
  const names = functions.map(doc => doc.name);
  if (found.length === 1) return callCard(found[0]!, node);
  const sentence =
    found.length > 1
      ? `"${name}" is a name of ${found.map(doc => doc.name).join(" and of ")}: write one of them.`
      : `workbook/net has no function "${name}".${suggestion(name, [...names, ...names.map(n => n.split(".").at(-1)!)], "functions")}`;
  page.report(node, sentence, name);
  return null;
}

/** The card of one function. @param node where a lesson asks for it */
function callCard(doc: NetDoc, node: Pick<Nodes, "position"> = {}): DirectiveNode {
  const row = doc.call && callRows[doc.call];
  const page = row ? man(row.man) : null;
  const part = (label: string, children: Nodes[]) =>
    directiveNode(node, "lesson-call-part", { label }, children);
  const item = (term: string, text: string, title = "") =>
    directiveNode(node, "lesson-call-item", title ? { term, title } : { term }, markdownOf(text));
  const arguments_ = doc.parameters.map(({ name, text }) => item(name, text));
  const errors = doc.errors
    .filter(({ code }) => code !== "")
    .map(({ code, text }) => item(code, text, errnoWords(code)));
  const properties: DirectiveNode["data"]["hProperties"] = { name: doc.name, anchor: doc.anchor };
  if (page) Object.assign(properties, { man: page.text, href: page.href });
  const code = (lang: string, value: string): Nodes => ({ type: "code", lang, value });
  const short = shortSignature(doc.signature);
  const details = [
    ...(short === doc.signature ? [] : [code("ts", doc.signature)]),
    ...(row ? [code("c", row.signature)] : []),
    ...arguments_,
  ];
  const label = arguments_.length > 0 ? "Arguments" : "In C";
  return directiveNode(node, "lesson-call", properties, [
    code("ts", short),
    ...markdownOf(doc.text),
    ...(details.length > 0 ? [directiveNode(node, "lesson-call-details", { label }, details)] : []),
    ...(doc.returns ? [part("Returns", markdownOf(doc.returns))] : []),
    ...(row ? [part("Waits", markdownOf(row.waits ?? "It does not wait."))] : []),
    ...(errors.length > 0 ? [part("Errors", errors)] : []),
  ]);
}

/** A signature without the types of its parameters, each overload on one line: "socket.recv(size, flags = 0): Buffer | null". */
export function shortSignature(signature: string): string {
  const declarations = splitOutside(signature, "\n").map(text => {
    const open = text.indexOf("(");
    const close = closingOf(text, open);
    const parameters = splitOutside(text.slice(open + 1, close), ",")
      .map(withoutType)
      .filter(Boolean);
    return `${text.slice(0, open)}(${parameters.join(", ")})${text.slice(close + 1)}`;
  });
  return declarations.join("\n");
}

function withoutType(parameter: string): string {
  const [declared = "", initial] = splitOutside(parameter, "=");
  const name = declared.replace(/\??:[\s\S]*/, "").trim();
  return initial === undefined ? name : `${name} = ${initial.trim()}`;
}

/** The parts of a text between the signs that are in no bracket. */
function splitOutside(text: string, sign: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const one of text) {
    if ("([{<".includes(one)) depth++;
    if (")]}>".includes(one)) depth--;
    if (one === sign && depth === 0) parts.push("");
    else parts.push(parts.pop()! + one);
  }
  return parts;
}

function closingOf(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return at;
  }
  return text.length;
}

/** The words of a doc comment; man pages and RFCs in them become links. */
export function markdownOf(text: string): Nodes[] {
  const linked = text
    .replaceAll(/`[^`]*`|\b([a-z_]\w*)\((\d)\)/g, (all, name, section) =>
      section ? `:man[${name}(${section})]` : all,
    )
    .replaceAll(/\bRFC (\d+), ([\d.]+\d)/g, ":rfc[$1]{section=$2}");
  return parseMarkdown(linked).children.map(unplaced);
}

/** Without positions: they are those of the comment, and not of the lesson. */
function unplaced(node: Nodes): Nodes {
  const { position: _, ...rest } = node;
  return "children" in node ? ({ ...rest, children: node.children.map(unplaced) } as Nodes) : (rest as Nodes);
}

let reference: readonly Nodes[] | undefined;

/** The reference of workbook/net: every function as a card, then types and constants in tables. */
export function referenceNodes(): readonly Nodes[] {
  // As the doc comments, which are read once in a process: half of what it takes to compile a book is to parse these.
  reference ??= nodesOf(netDocs());
  return reference;
}

function nodesOf(docs: NetDoc[]): Nodes[] {
  const heading = (value: string): Nodes => ({
    type: "heading",
    depth: 2,
    children: [{ type: "text", value }],
  });
  const nodes: Nodes[] = [];
  const functions = docs.filter(doc => doc.kind === "function");
  for (const owner of ["Socket", "Epoll", "SignalFd", "EventFd", "Pipe", ""]) {
    const own = docs.find(doc => doc.name === owner);
    nodes.push(heading(owner || "Functions"), ...markdownOf(own?.text ?? ""));
    nodes.push(...functions.filter(doc => doc.owner === owner).map(doc => callCard(doc)));
  }
  const types = docs.filter(doc => doc.owner === "" && (doc.kind === "type" || doc.name === "SyscallError"));
  nodes.push(heading("Types"), ...types.map(type => listOf(type, docs)));
  nodes.push(heading("Constants"));
  nodes.push(directiveNode({}, "lesson-names", {}, docs.filter(doc => doc.kind === "constant").map(nameOf)));
  return nodes;
}

function listOf(type: NetDoc, docs: NetDoc[]): Nodes {
  const parts = docs.filter(doc => doc.owner === type.name && doc.kind === "property");
  return directiveNode({}, "lesson-names", {}, [type, ...parts].map(nameOf));
}

const nameOf = (doc: NetDoc): DirectiveNode =>
  directiveNode({}, "lesson-call-item", { term: doc.signature, anchor: doc.anchor }, markdownOf(doc.text));
