// Directives. The table of what prose may use beside plain Markdown: how a directive is written, its attributes, and what it
// becomes. A directive that is not in the table is a mistake with a suggestion.
import type { Nodes } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import { suggestion } from "../../../server-labs/protocol.ts";
import { paneNames } from "../../workbench/panes.ts";
import { callDirective } from "./call-card.ts";
import { figure } from "./figure.ts";
import { termNode } from "./glossary.ts";
import { measure } from "./measure.ts";
import { type Directive, type DirectiveNode, directiveNode, type Page } from "./page.ts";
import { predict, quiz } from "./questions.ts";
import { man, type Reference, rfc, syscall, syscallNames } from "./references.ts";
import { weTest } from "./we-test.ts";

type Make = (node: Directive, page: Page) => DirectiveNode | null;

interface Entry {
  /** How it is written, for sentences. */
  form: string;
  types: Directive["type"][];
  attributes: string[];
  make: Make;
}

const block: Directive["type"][] = ["containerDirective"];
const leaf: Directive["type"][] = ["leafDirective"];
const inline: Directive["type"][] = ["textDirective"];

export const directives: Record<string, Entry> = {
  lab: { form: ":::lab", types: ["containerDirective", "leafDirective"], attributes: [], make: lab },
  predict: { form: ":::predict{#name}", types: block, attributes: ["id"], make: named(predict) },
  quiz: { form: ":::quiz{#name}", types: block, attributes: ["id"], make: named(quiz) },
  try: { form: ":::try", types: block, attributes: [], make: tryIt },
  aside: { form: ":::aside", types: block, attributes: [], make: plain("lesson-aside") },
  figure: { form: ":::figure", types: block, attributes: [], make: (node, page) => figure(node, page) },
  measure: {
    form: ':::measure{program="cost.ts" points="figures/cost.jsonl"}',
    types: block,
    attributes: ["program", "points"],
    make: measure,
  },
  scoreboard: { form: ":::scoreboard", types: block, attributes: [], make: scoreboard },
  compare: { form: ":::compare", types: block, attributes: [], make: compare },
  call: { form: "::call[recv]", types: leaf, attributes: [], make: callDirective },
  "we-test": { form: "::we-test", types: leaf, attributes: [], make: weTest },
  walkthrough: { form: "::walkthrough", types: leaf, attributes: [], make: walkthrough },
  saw: { form: ":::saw", types: block, attributes: [], make: plain("lesson-saw") },
  recap: { form: ":::recap", types: block, attributes: [], make: plain("lesson-recap") },
  syscall: { form: ":syscall[recv]", types: inline, attributes: [], make: syscallNode },
  term: { form: ":term[accept queue]", types: inline, attributes: ["of"], make: termNode },
  pane: { form: ":pane[Syscalls]", types: inline, attributes: [], make: pane },
  check: { form: ":check[id]", types: inline, attributes: [], make: checkNode },
  man: { form: ":man[epoll(7)]", types: inline, attributes: [], make: manNode },
  rfc: { form: ":rfc[9110]{section=8.6}", types: inline, attributes: ["section"], make: rfcNode },
};

/** The node that a directive becomes; null after reporting why it becomes none. */
export function makeNode(node: Directive, page: Page): DirectiveNode | null {
  const entry = Object.hasOwn(directives, node.name) ? directives[node.name]! : null;
  if (!entry) {
    const sentence = `There is no directive "${node.name}".${suggestion(node.name, Object.keys(directives), "directives")}`;
    const colon = node.type === "textDirective" ? ` If a colon was meant, write "\\:".` : "";
    page.report(node, sentence + colon);
    return null;
  }
  if (!entry.types.includes(node.type)) {
    page.report(node, `"${node.name}" is written ${entry.form}.`);
    return null;
  }
  for (const name of Object.keys(node.attributes ?? {}))
    if (!entry.attributes.includes(name))
      page.report(
        node,
        `${entry.form} has no attribute "${name}".${suggestion(name, entry.attributes, "attributes")}`,
        name,
      );
  const label = node.type === "containerDirective" ? labelOf(node) : undefined;
  if (label) page.report(node, `${entry.form} takes no [label]; write it into the text.`, "[");
  return entry.make(node, page);
}

function labelOf(node: Directive): Nodes | undefined {
  return node.children.find(child => (child.data as { directiveLabel?: boolean })?.directiveLabel);
}

function plain(name: string): Make {
  return node => directiveNode(node, name, {}, node.children);
}

function named(make: (node: Directive, name: string, page: Page) => DirectiveNode | null): Make {
  return (node, page) => {
    const name = node.attributes?.id;
    if (!name || !/^[a-z0-9][a-z0-9-]*$/.test(name))
      page.report(
        node,
        `:::${node.name} needs a name, under which answers are kept: :::${node.name}{#some-name}.`,
      );
    else if (!page.takeName(name)) page.report(node, `This page has two questions named "${name}".`, name);
    return make(node, name ?? "", page);
  };
}

function lab(node: Directive, page: Page): DirectiveNode | null {
  const mistake = !page.lesson?.lab
    ? "This lesson has no lab: its fields have no lab."
    : !page.takeName("::lab")
      ? "A lesson has one lab, and one card that opens it."
      : null;
  if (mistake) page.report(node, mistake);
  return directiveNode(node, "lesson-lab", {}, node.children);
}

/** The directive's content is the caption. */
function scoreboard(node: Directive, page: Page): DirectiveNode | null {
  const rivals = page.lesson?.lab?.rivals ?? [];
  const mistake =
    rivals.length === 0
      ? "This lesson's lab has no rivals: lab/rivals/rivals.yaml declares them."
      : page.takeName(":::scoreboard")
        ? null
        : "A lesson has one scoreboard.";
  if (mistake) page.report(node, mistake);
  return mistake ? null : directiveNode(node, "lesson-scoreboard", {}, node.children);
}

/** The steps of lab/walkthrough.md, which the compiler of the lesson puts inside. */
function walkthrough(node: Directive, page: Page): DirectiveNode | null {
  const once = page.takeName("::walkthrough");
  if (!once) page.report(node, "A lesson has one walk-through.");
  return once ? directiveNode(node, "lesson-walkthrough", {}, []) : null;
}

/** Shell fences inside are commands to copy; any other fence is what one sees. */
function tryIt(node: Directive, page: Page): DirectiveNode {
  const shell = (child: Nodes) => child.type === "code" && child.lang === "shell";
  if (!node.children.some(shell)) page.report(node, ":::try has at least one ```shell fence to copy.");
  return directiveNode(node, "lesson-try", {}, node.children);
}

function compare(node: Directive, page: Page): DirectiveNode {
  if (node.children.length !== 2 || node.children.some(child => child.type !== "code"))
    page.report(node, ":::compare has exactly two fences, which are shown side by side.");
  return directiveNode(node, "lesson-compare", {}, node.children);
}

function syscallNode(node: Directive, page: Page): DirectiveNode | null {
  const name = textOf(node);
  const found = syscall(name);
  if (!found) {
    const sentence = `"${name}" is not a system call that this book knows.${suggestion(name, syscallNames, "calls")}`;
    page.report(node, sentence, name);
    return null;
  }
  return directiveNode(node, "lesson-syscall", { ...found }, node.children);
}

function pane(node: Directive, page: Page): DirectiveNode {
  const name = textOf(node);
  if (!paneNames.some(pane => pane === name))
    page.report(node, `There is no pane "${name}".${suggestion(name, paneNames, "panes")}`, name);
  return directiveNode(node, "lesson-pane", { name }, node.children);
}

function checkNode(node: Directive, page: Page): DirectiveNode | null {
  const id = textOf(node);
  const checks = page.lesson?.lab?.checks ?? [];
  const found = checks.find(check => check.id === id);
  if (!found) {
    const ids = checks.map(check => check.id);
    page.report(node, `This lesson has no check "${id}".${suggestion(id, ids, "checks of this lesson")}`, id);
    return null;
  }
  return directiveNode(node, "lesson-check", { name: id }, [{ type: "text", value: found.title }]);
}

function manNode(node: Directive, page: Page): DirectiveNode | null {
  const found = man(textOf(node));
  if (!found) page.report(node, `A man page is written with its section: :man[recv(2)].`);
  return found && reference(node, "man", found);
}

function rfcNode(node: Directive, page: Page): DirectiveNode | null {
  const found = rfc(textOf(node), node.attributes?.section);
  if (!found) page.report(node, `An RFC is written with its number: :rfc[9110] or :rfc[9110]{section=8.6}.`);
  return found && reference(node, "rfc", found);
}

function reference(node: Directive, kind: string, to: Reference): DirectiveNode {
  const properties = { className: `reference ${kind}`, href: to.href, title: to.title };
  return directiveNode(node, "a", properties, [{ type: "text", value: to.text }]);
}
