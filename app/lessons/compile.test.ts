// What Markdown and the words of lessons become.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Element, Root, RootContent } from "hast";
import { lessonWith, writeBook } from "../../server-labs/fixtures/book.ts";
import type { LessonContent } from "./content.ts";
import { Press } from "./press.ts";

const lesson = "01-sockets/02-listen";

async function compiled(body: string, more: Record<string, string> = {}): Promise<LessonContent> {
  using book = writeBook({ [`${lesson}/lesson.md`]: lessonWith(body), ...more });
  const press = new Press(book.folder);
  const { problems } = await press.print();
  assert.deepEqual(problems, []);
  return press.lessons.get("sockets/listen")!;
}

/** The tree as one line a node: tag, properties that matter, text; so that a test shows what it means. */
function outline(node: Root | RootContent, depth = 0): string {
  const pad = "  ".repeat(depth);
  if (node.type === "text") return `${pad}"${node.value}"\n`;
  if (node.type === "element" && node.tagName === "pre") return `${pad}pre ${JSON.stringify(textOf(node))}\n`;
  if (node.type !== "root" && node.type !== "element") return "";
  const children = node.children
    .map(child => outline(child, node.type === "root" ? depth : depth + 1))
    .join("");
  if (node.type === "root") return children;
  const properties = Object.entries(node.properties)
    .filter(([name]) => !["text", "summary", "href", "title", "className"].includes(name))
    .map(([name, value]) => ` ${name}=${value}`);
  return `${pad}${node.tagName}${properties.join("")}\n${children}`;
}

function textOf(node: RootContent): string {
  return node.type === "text" ? node.value : "children" in node ? node.children.map(textOf).join("") : "";
}

function find(content: LessonContent, tag: string): Element {
  const search = (nodes: RootContent[]): Element | undefined => {
    for (const node of nodes) {
      if (node.type !== "element") continue;
      const found = node.tagName === tag ? node : search(node.children);
      if (found) return found;
    }
    return undefined;
  };
  const found = search(content.tree.children);
  assert.ok(found, `there is no ${tag} in the tree`);
  return found;
}

const card = "lesson-lab\n";

test("a guess: the question, what to choose from, what to look at", async () => {
  const { tree } = await compiled(
    "::::predict{#eight}\nWhen?\n\n- now\n- *later*\n\n---\n\nLook:\n\n:::aside\nA note.\n:::\n::::",
  );
  assert.equal(
    outline(tree),
    `lesson-predict name=eight
  lesson-question
    p
      "When?"
  lesson-option
    "now"
  lesson-option
    em
      "later"
  lesson-reveal
    p
      "Look:"
    lesson-aside
      p
        "A note."
${card}`,
  );
});

test("a quiz: the right answer is marked, and wrong ones say why", async () => {
  const { tree } = await compiled(":::quiz{#q}\nWhat?\n\n- [ ] this\n\n  Because `x`.\n- [x] that\n:::");
  assert.equal(
    outline(tree),
    `lesson-quiz name=q
  lesson-question
    p
      "What?"
  lesson-option
    lesson-choice
      "this"
    lesson-explanation
      p
        "Because "
        code
          "x"
        "."
  lesson-option correct=true
    lesson-choice
      "that"
${card}`,
  );
});

test("things to try: shell is to be copied, text is what one sees, {port} is the lab's", async () => {
  const { tree } = await compiled(
    ":::try\nAsk `:{port}`:\n\n```shell\ncurl http://127.0.0.1:{port}/\n```\n\n```text\n{port}\n```\n:::",
  );
  assert.equal(
    outline(tree),
    `lesson-try
  p
    "Ask "
    code
      ":7890"
    ":"
  lesson-command command=curl http://127.0.0.1:7890/
    pre "curl http://127.0.0.1:7890/"
  lesson-code lang=text
    pre "7890"
${card}`,
  );
});

test("words in a line", async () => {
  const content = await compiled(
    "*a*\n*b* :syscall[recv] :pane[Syscalls] :check[answers] :rfc[9110]{section=8.6} :man[epoll(7)]",
  );
  assert.equal(
    outline(content.tree),
    `p
  em
    "a"
  "
"
  em
    "b"
  " "
  lesson-syscall name=recv
    "recv"
  " "
  lesson-pane name=Syscalls
    "Syscalls"
  " "
  lesson-check name=answers
    "answers everybody"
  " "
  a
    "RFC 9110 § 8.6"
  " "
  a
    "epoll(7)"
${card}`,
  );
  assert.equal(
    find(content, "lesson-syscall").properties.href,
    "https://man7.org/linux/man-pages/man2/recv.2.html",
  );
  const { href, title } = find(content, "a").properties;
  assert.deepEqual(
    [href, title],
    ["https://www.rfc-editor.org/rfc/rfc9110#section-8.6", "RFC 9110: HTTP Semantics"],
  );
});

test("code of a file: by region, by declaration, whole; marks are never shown", async () => {
  const include = async (target: string) =>
    find(
      await compiled(`\`\`\`ts include="lab/solution.ts${target}"\n\`\`\``, {
        [`${lesson}/lab/solution.ts`]:
          "const a = 1;\n\nfunction f() {\n  // #region inner\n  return {\n    a,\n  };\n  // #endregion inner\n}\n\nconst b = {\n  c: 2,\n};\n",
      }),
      "lesson-code",
    ).properties.text;
  assert.equal(await include("#inner"), "return {\n  a,\n};");
  assert.equal(await include("#f"), "function f() {\n  return {\n    a,\n  };\n}");
  assert.equal(await include("#a"), "const a = 1;");
  assert.equal(await include("#b"), "const b = {\n  c: 2,\n};");
  assert.equal(
    await include(""),
    "const a = 1;\n\nfunction f() {\n  return {\n    a,\n  };\n}\n\nconst b = {\n  c: 2,\n};",
  );
});

test("code is coloured by the page's variables, and lines can be pointed at", async () => {
  const content = await compiled('```ts mark="2"\nconst a = "x";\nf(a);\n```');
  const lines = find(content, "code").children.filter(child => child.type === "element");
  assert.deepEqual(
    lines.map(line => line.properties.className),
    [["line"], ["line", "marked"]],
  );
  const coloured = lines[0]!.children.map(span => [
    textOf(span).trim(),
    span.type === "element" && span.properties.style,
  ]);
  assert.deepEqual(coloured[0], ["const", "color:var(--code-token-keyword)"]);
  assert.deepEqual(
    coloured.find(([text]) => text === '"x"'),
    ['"x"', "color:var(--code-token-string)"],
  );
});

test("a shell line that goes on is marked, so that only commands get a prompt", async () => {
  const content = await compiled(
    ":::try\n```shell\nfor i in 1 2; do\n  curl $i &\ndone; wait\nps ax |\ngrep x\nls\n```\n:::",
  );
  const lines = find(content, "code").children.filter(child => child.type === "element");
  assert.deepEqual(
    lines.map(line => (line.properties.className as string[]).includes("more")),
    [false, true, true, false, true, false],
  );
});

test("a figure is inlined, and its ids are its own", async () => {
  const content = await compiled(":::figure\n![Two boxes](figures/two.svg)\n\nA caption.\n:::", {
    [`${lesson}/figures/two.svg`]:
      '<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg viewBox="0 0 9 9"><marker id="m"/><path marker-end="url(#m)"/><use href="#m"/></svg>\n',
  });
  const { properties, children } = find(content, "lesson-figure");
  assert.deepEqual(properties, {
    name: "two",
    alt: "Two boxes",
    svg: '<svg viewBox="0 0 9 9"><marker id="two-m"/><path marker-end="url(#two-m)"/><use href="#two-m"/></svg>',
  });
  assert.equal(children.map(textOf).join(""), "A caption.");
});

test("headings have ids that links may name, from other lessons too", async () => {
  const content = await compiled("## The `accept` queue\n\n[here](#the-accept-queue)\n\n### One\n", {
    "01-sockets/03-next/lesson.md":
      "---\ntitle: T\nsummary: S\n---\n[back](/sockets/listen#one) [out](https://example.org/)\n",
  });
  assert.deepEqual(content.headings, [
    { id: "the-accept-queue", text: "The accept queue", depth: 2 },
    { id: "one", text: "One", depth: 3 },
  ]);
});

test("hints and the student's files come with the lesson", async () => {
  const content = await compiled("x", {
    [`${lesson}/lab/hints.md`]: "# Hints\n\n## answers\n\n### 1\n\nLook.\n\n### 2\n\n```ts\nx\n```\n",
  });
  assert.deepEqual(content.files, [{ file: "server.ts", starter: "const port = 7890;\n" }]);
  assert.deepEqual(
    content.hints.answers!.map(rung => outline(rung)),
    ['p\n  "Look."\n', 'lesson-code lang=ts\n  pre "x"\n'],
  );
});

test("the contents: chapters, lessons, neighbours, checks", async () => {
  using book = writeBook({ "01-sockets/03-next/lesson.md": "---\ntitle: Next\nsummary: S\n---\nx\n" });
  const press = new Press(book.folder);
  await press.print();
  const [chapter] = press.book.chapters;
  assert.deepEqual(
    chapter?.lessons.map(l => [l.id, l.previous, l.next, l.lab?.checks.length]),
    [
      ["sockets/listen", null, "sockets/next", 1],
      ["sockets/next", "sockets/listen", null, undefined],
    ],
  );
});
