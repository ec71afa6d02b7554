// The words that prose may use beside plain Markdown: a closed table. Each says how it is written, which
// attributes it knows, and what it becomes. Whatever is not in here is a mistake with a suggestion.

import type { Nodes } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import { suggestion } from "../../server-labs/book/problem.ts";
import { figure } from "./figure.ts";
import { type Directive, type Page, type Word, word } from "./page.ts";
import { predict, quiz } from "./questions.ts";
import { man, type Reference, rfc, syscall, syscallNames } from "./references.ts";

type Make = (node: Directive, page: Page) => Word | null;

interface Entry {
  /** How it is written, for sentences. */
  form: string;
  types: Directive["type"][];
  attributes: string[];
  make: Make;
}

const block: Directive["type"][] = ["containerDirective"];
const inline: Directive["type"][] = ["textDirective"];
const panes = ["Output", "Syscalls", "Kernel", "Clients", "Checks"];

export const words: Record<string, Entry> = {
  lab: { form: ":::lab", types: ["containerDirective", "leafDirective"], attributes: [], make: lab },
  predict: { form: ":::predict{#name}", types: block, attributes: ["id"], make: named(predict) },
  quiz: { form: ":::quiz{#name}", types: block, attributes: ["id"], make: named(quiz) },
  try: { form: ":::try", types: block, attributes: [], make: tryIt },
  aside: { form: ":::aside", types: block, attributes: [], make: plain("lesson-aside") },
  figure: { form: ":::figure", types: block, attributes: [], make: (node, page) => figure(node, page) },
  compare: { form: ":::compare", types: block, attributes: [], make: compare },
  syscall: { form: ":syscall[recv]", types: inline, attributes: [], make: syscallWord },
  pane: { form: ":pane[Syscalls]", types: inline, attributes: [], make: pane },
  check: { form: ":check[id]", types: inline, attributes: [], make: checkWord },
  man: { form: ":man[epoll(7)]", types: inline, attributes: [], make: manWord },
  rfc: { form: ":rfc[9110]{section=8.6}", types: inline, attributes: ["section"], make: rfcWord },
};

/** The word that a directive stands for; null after reporting why it stands for none. */
export function makeWord(node: Directive, page: Page): Word | null {
  const entry = Object.hasOwn(words, node.name) ? words[node.name]! : null;
  if (!entry) {
    const sentence = `There is no directive "${node.name}".${suggestion(node.name, Object.keys(words), "directives")}`;
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
  return node => word(node, name, {}, node.children);
}

function named(make: (node: Directive, name: string, page: Page) => Word | null): Make {
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

function lab(node: Directive, page: Page): Word | null {
  const mistake = !page.lesson?.lab
    ? "This lesson has no lab: its fields have no lab."
    : !page.takeName("::lab")
      ? "A lesson has one lab, and one card that opens it."
      : null;
  if (mistake) page.report(node, mistake);
  return word(node, "lesson-lab", {}, node.children);
}

/** Shell fences inside are commands to copy; any other fence is what one sees. */
function tryIt(node: Directive, page: Page): Word {
  const shell = (child: Nodes) => child.type === "code" && child.lang === "shell";
  if (!node.children.some(shell)) page.report(node, ":::try has at least one ```shell fence to copy.");
  return word(node, "lesson-try", {}, node.children);
}

function compare(node: Directive, page: Page): Word {
  if (node.children.length !== 2 || node.children.some(child => child.type !== "code"))
    page.report(node, ":::compare has exactly two fences, which stand side by side.");
  return word(node, "lesson-compare", {}, node.children);
}

function syscallWord(node: Directive, page: Page): Word | null {
  const name = textOf(node);
  const found = syscall(name);
  if (!found) {
    const sentence = `"${name}" is no system call that this book knows.${suggestion(name, syscallNames, "calls")}`;
    page.report(node, sentence, name);
    return null;
  }
  return word(node, "lesson-syscall", { ...found }, node.children);
}

function pane(node: Directive, page: Page): Word {
  const name = textOf(node);
  if (!panes.includes(name))
    page.report(node, `There is no pane "${name}".${suggestion(name, panes, "panes")}`, name);
  return word(node, "lesson-pane", { name }, node.children);
}

function checkWord(node: Directive, page: Page): Word | null {
  const id = textOf(node);
  const checks = page.lesson?.lab?.checks ?? [];
  const found = checks.find(check => check.id === id);
  if (!found) {
    const ids = checks.map(check => check.id);
    page.report(node, `This lesson has no check "${id}".${suggestion(id, ids, "checks of this lesson")}`, id);
    return null;
  }
  return word(node, "lesson-check", { name: id }, [{ type: "text", value: found.title }]);
}

function manWord(node: Directive, page: Page): Word | null {
  const found = man(textOf(node));
  if (!found) page.report(node, `A man page is written with its section: :man[recv(2)].`);
  return found && reference(node, "man", found);
}

function rfcWord(node: Directive, page: Page): Word | null {
  const found = rfc(textOf(node), node.attributes?.section);
  if (!found) page.report(node, `An RFC is written with its number: :rfc[9110] or :rfc[9110]{section=8.6}.`);
  return found && reference(node, "rfc", found);
}

function reference(node: Directive, kind: string, to: Reference): Word {
  const properties = { className: `reference ${kind}`, href: to.href, title: to.title };
  return word(node, "a", properties, [{ type: "text", value: to.text }]);
}
