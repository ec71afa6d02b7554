// What Markdown and the directives of lessons become.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Element, Root, RootContent } from "hast";
import { lessonWith, writeBook } from "../../../server-labs/fixtures/book.ts";
import type { LessonContent } from "../../lesson-content.ts";
import { paneNames } from "../../workbench/panes.ts";
import { BookCompiler } from "./book-compiler.ts";

const lesson = "01-sockets/02-listen";

async function compiled(body: string, more: Record<string, string> = {}): Promise<LessonContent> {
  using book = writeBook({ [`${lesson}/lesson.md`]: lessonWith(body), ...more });
  const compiler = new BookCompiler(book.folder);
  const { problems } = await compiler.compile();
  assert.deepEqual(problems, []);
  return compiler.lessons.get("sockets/listen")!;
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

test("a guess: the question, what to choose from, which of it is right, what to look at", async () => {
  const { tree } = await compiled(
    "::::predict{#eight}\nWhen?\n\n- now\n\n  Not yet.\n- [x] *later*\n\n---\n\nLook:\n\n:::aside\nA note.\n:::\n::::",
  );
  assert.equal(
    outline(tree),
    `lesson-predict name=eight
  lesson-question
    p
      "When?"
  lesson-option
    lesson-choice
      "now"
    lesson-explanation
      p
        "Not yet."
  lesson-option correct=true
    lesson-choice
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
    ":::try\nAsk `:{port}`:\n\n```shell\ncurl -m 2 http://127.0.0.1:{port}/\n```\n\n```text\n{port}\n```\n:::",
  );
  assert.equal(
    outline(tree),
    `lesson-try
  p
    "Ask "
    code
      ":7890"
    ":"
  lesson-command command=curl -m 2 http://127.0.0.1:7890/
    pre "curl -m 2 http://127.0.0.1:7890/"
  lesson-code lang=text
    pre "7890"
${card}`,
  );
});

test("every pane of the workbench can be named", async () => {
  const { tree } = await compiled(paneNames.map(pane => `:pane[${pane}]`).join(" "));
  const named = [...outline(tree).matchAll(/lesson-pane name=(\w+)/g)].map(match => match[1]);
  assert.deepEqual(named, [...paneNames]);
});

test("directives in a line", async () => {
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

test("a measurement has the book's points, and names a file of the lab", async () => {
  const points = '{"ready":"one","count":10,"poll":6}\n';
  const content = await compiled(
    ':::measure{program="server.ts" points="figures/cost.jsonl"}\nA caption.\n:::',
    { [`${lesson}/figures/cost.jsonl`]: points },
  );
  assert.deepEqual(find(content, "lesson-measure").properties, { program: "server.ts", points });
});

test("a scoreboard has its caption", async () => {
  const content = await compiled(":::scoreboard\nA caption.\n:::", {
    [`${lesson}/lab/rivals/rivals.yaml`]: "a:\n  name: A\n  command: a {port}\n",
  });
  assert.equal(textOf(find(content, "lesson-scoreboard")), "A caption.");
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

test("the contents: chapters, lessons in their order, checks", async () => {
  using book = writeBook({ "01-sockets/03-next/lesson.md": "---\ntitle: Next\nsummary: S\n---\nx\n" });
  const compiler = new BookCompiler(book.folder);
  await compiler.compile();
  const [chapter] = compiler.book.chapters;
  assert.deepEqual(
    chapter?.lessons.map(l => [l.id, l.lab?.checks.length]),
    [
      ["sockets/listen", 1],
      ["sockets/next", undefined],
    ],
  );
});

test("a call card: signatures, words, arguments, result, waiting and errors of one function", async () => {
  const content = await compiled("::call[recv]");
  const { properties, children } = find(content, "lesson-call");
  assert.deepEqual(properties, {
    name: "Socket.recv",
    anchor: "socket-recv",
    man: "recv(2)",
    href: "https://man7.org/linux/man-pages/man2/recv.2.html",
  });
  const text = children.map(child => outline(child)).join("");
  assert.match(text, /^lesson-code lang=ts\n {2}pre "socket\.recv\(size, flags = 0\): Buffer \| null"/);
  assert.match(text, /pre "socket\.recv\(size: number, flags = 0\): Buffer \| null"/);
  assert.match(text, /pre "ssize_t recv\(int sockfd, void \*buf, size_t len, int flags\)"/);
  assert.match(text, /^lesson-call-details label=Arguments\n(?: {2}.*\n)* {2}lesson-call-item term=size/m);
  assert.match(text, /lesson-call-part label=Waits\n {2}p\n {4}"Until a byte has come/);
  assert.match(text, /lesson-call-item term=ECONNRESET/);
});

test("the reference has every function, and a link may lead to each", async () => {
  using book = writeBook({ [`${lesson}/lesson.md`]: lessonWith("[it](/reference#epoll-poll)") });
  const compiler = new BookCompiler(book.folder);
  assert.deepEqual((await compiler.compile()).problems, []);
  const { tree, headings } = compiler.texts.get("reference")!;
  assert.deepEqual(
    headings.map(({ text }) => text),
    ["Socket", "Epoll", "SignalFd", "EventFd", "Pipe", "Functions", "Types", "Constants"],
  );
  const text = outline(tree);
  for (const name of ["Socket.recv", "Epoll.poll", "sleep"]) assert.match(text, new RegExp(`name=${name}`));
  assert.match(text, /term=EPOLLET = 0x80000000 anchor=epollet/);
});

test("what we test: the doc comment above each check", async () => {
  const content = await compiled("::we-test", {
    [`${lesson}/lab/checks.ts`]:
      '/** One client sends `GET /`. The server answers. */\ncheck("answers", "answers everybody", async () => {});\n',
  });
  assert.equal(
    outline(find(content, "lesson-we-test")),
    `lesson-we-test
  lesson-we-test-item name=answers
    lesson-check name=answers
      "answers everybody"
    p
      "One client sends "
      code
        "GET /"
      ". The server answers."
`,
  );
});

test("what a command printed is folded, and a lesson ends in its recap", async () => {
  const { tree } = await compiled(
    "::::try\n```shell\nls\n```\n\n:::saw\n```text\nx\n```\n:::\n::::\n\n:::recap\n- One thing.\n:::",
  );
  assert.equal(
    outline(tree),
    `lesson-try
  lesson-command command=ls
    pre "ls"
  lesson-saw
    lesson-code lang=text
      pre "x"
lesson-recap
  ul
    li
      "One thing."
${card}`,
  );
});

test("hints for the author: a guess without its why, and a lab whose tests are not told", async () => {
  using book = writeBook({
    [`${lesson}/lesson.md`]: lessonWith(":::predict{#a}\nQ?\n\n- [x] a\n- b\n\n---\n\nA\n:::"),
  });
  const { problems, notes } = await new BookCompiler(book.folder).compile();
  assert.deepEqual(problems, []);
  assert.deepEqual(
    notes.map(({ line, sentence }) => `${line}: ${sentence}`).filter(note => !note.includes("words")),
    [
      "11: A wrong answer of this guess does not say why: a paragraph below the answer, indented by two spaces.",
      '1: This lesson does not say what its checks send and expect: ::we-test does. Write a doc comment above "answers" in lab/checks.ts first.',
    ],
  );
});

const twoPrograms = {
  [`${lesson}/lab/starter.ts`]: `// The starter.
import { Socket } from "workbook/net";

// #region loop
while (true) {
  sleep(500);
  // #region accept
  accept();
  // #endregion accept
}
// #endregion loop
`,
  [`${lesson}/lab/solution.ts`]: `// The solution.
import { Socket } from "workbook/net";

/** Accepts all. */
function acceptAll() {
  accept();
  accept();
}

// #region loop
while (true) {
  acceptAll();
}
// #endregion loop
`,
};
const steps =
  'Two steps.\n\n```diff starter="accept" solution="acceptAll"\n```\n\n```diff starter="loop" solution="loop"\n```\n';

/** The lines of each step: "comes: accept();". */
function stepsOf(content: LessonContent): string[][] {
  const diffs = find(content, "lesson-walkthrough").children.filter(
    child => child.type === "element" && child.tagName === "lesson-diff",
  );
  return diffs.map(diff => {
    const found: string[] = [];
    const walk = (node: RootContent) => {
      if (node.type !== "element") return;
      const [, kind] = (node.properties.className as string[]) ?? [];
      if (kind) found.push(`${kind}: ${textOf(node)}`);
      else node.children.forEach(walk);
    };
    walk(diff);
    return found;
  });
}

test("a walk-through: the diff of each step is made from the regions that it names", async () => {
  const content = await compiled("::walkthrough", {
    ...twoPrograms,
    [`${lesson}/lab/walkthrough.md`]: steps,
  });
  assert.deepEqual(stepsOf(content), [
    [
      "goes: accept();",
      "comes: /** Accepts all. */",
      "comes: function acceptAll() {",
      "comes:   accept();",
      "comes:   accept();",
      "comes: }",
    ],
    ["stays: while (true) {", "goes:   sleep(500);", "comes:   acceptAll();", "stays: }"],
  ]);
});

test("a walk-through: a line that comes into a function is shown between the lines that are there by then", async () => {
  const content = await compiled("::walkthrough", {
    [`${lesson}/lab/starter.ts`]: "function main() {\n  accept();\n}\n",
    [`${lesson}/lab/solution.ts`]: `const most = 5;

function main() {
  // #region count
  let count = 0;
  // #endregion count
  accept();
  // #region limit
  if (++count > most) close();
  // #endregion limit
}
`,
    [`${lesson}/lab/walkthrough.md`]:
      '### Limit\n\n```diff solution="most, limit"\n```\n\n### Count\n\n```diff solution="count"\n```\n',
  });
  assert.deepEqual(stepsOf(content), [
    [
      "comes: const most = 5;",
      "stays: ",
      "stays:   accept();",
      "comes:   if (++count > most) close();",
      "stays: }",
    ],
    ["stays: function main() {", "comes:   let count = 0;", "stays:   accept();"],
  ]);
});

test("a walk-through that forgets a line, or names what is not there, is a mistake with its place", async () => {
  const told = async (walkthrough: string | null, body = "::walkthrough") => {
    using book = writeBook({
      ...twoPrograms,
      [`${lesson}/lesson.md`]: lessonWith(body),
      [`${lesson}/lab/walkthrough.md`]: walkthrough,
    });
    const { problems } = await new BookCompiler(book.folder).compile();
    return problems.map(p => `${p.file.split("/").at(-1)}:${p.line}: ${p.sentence}`);
  };
  assert.deepEqual(await told(steps), []);
  const [forgotten] = await told(steps.replace('solution="acceptAll"', ""));
  assert.match(
    forgotten!,
    /^solution\.ts:4: No step of lab\/walkthrough\.md names this line, and the starter/,
  );
  const [left] = await told('```diff solution="acceptAll, loop"\n```\n');
  assert.match(left!, /^starter\.ts:5: No step .* and the solution does not have it here/);
  const [unknown] = await told(steps.replace("acceptAll", "acceptall"));
  assert.match(unknown!, /^walkthrough\.md:3: lab\/solution\.ts has no region "acceptall"\. Did you mean/);
  const [twice] = await told(`${steps}\n\`\`\`diff starter="accept"\n\`\`\`\n`);
  assert.match(twice!, /^walkthrough\.md:9: Another step has "accept" of lab\/starter\.ts already/);
  assert.match((await told(null))[0]!, /no lab\/walkthrough\.md for ::walkthrough/);
  assert.match((await told(steps, "x"))[0]!, /its text has no ::walkthrough/);
});

const glossary = (rows: string) =>
  `---\ntitle: Glossary\nsummary: S\n---\n\n| Term | 中文 | Meaning | Read more |\n| --- | --- | --- | --- |\n${rows}\n`;

test("a chapter opens, closes and has a glossary, whose terms any text may name", async () => {
  using book = writeBook({
    "01-sockets/chapter.md": "---\ntitle: Sockets\nsummary: S\n---\n\nAbout :term[accept queues].\n",
    "01-sockets/closing.md":
      "---\ntitle: Recap\nsummary: S\n---\n\n[the terms](/sockets/glossary#accept-queue)\n",
    "01-sockets/glossary.md": glossary(
      "| accept queue | 全连接队列 | It holds *connections*. | :man[listen(2)] |\n| listener | 监听套接字 | A socket. | |",
    ),
    [`${lesson}/lesson.md`]: lessonWith(":term[sockets that listen]{of=listener}"),
  });
  const compiler = new BookCompiler(book.folder);
  assert.deepEqual((await compiler.compile()).problems, []);
  assert.deepEqual(compiler.book.chapters[0]!.closing, { title: "Recap", summary: "S" });
  assert.equal(
    outline(compiler.texts.get("sockets/glossary")!.tree),
    `lesson-terms
  lesson-term-entry term=accept queue zh=全连接队列 anchor=accept-queue
    "It holds "
    em
      "connections"
    "."
    " "
    a
      "listen(2)"
  lesson-term-entry term=listener zh=监听套接字 anchor=listener
    "A socket."
`,
  );
  const opening = compiler.texts.get("sockets")!.tree;
  assert.match(
    outline(opening),
    /lesson-term term=accept queue zh=全连接队列 meaning=It holds connections\./,
  );
  assert.equal(
    find(compiler.lessons.get("sockets/listen")!, "lesson-term").properties.href,
    "/sockets/glossary#listener",
  );
});

test("a glossary with a row that is not whole, or a term twice, is a mistake", async () => {
  using book = writeBook({
    "01-sockets/glossary.md": glossary("| a | 甲 | x | |\n| b | | x | |\n| a | 甲 | y | |"),
    [`${lesson}/lesson.md`]: lessonWith(":term[c]"),
  });
  const { problems } = await new BookCompiler(book.folder).compile();
  assert.deepEqual(
    problems.map(p => `${p.file.split("/").at(-1)}:${p.line}: ${p.sentence}`),
    [
      'lesson.md:8: No glossary has the term "c". Did you mean "a"?',
      "glossary.md:9: A row of a glossary has four cells: Term, 中文, Meaning, Read more. Only the last may be empty.",
      'glossary.md:10: The term "a" is in this glossary already.',
    ],
  );
});
