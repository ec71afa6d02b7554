// For each mistake that an instructor can make in prose: the exact sentence, and where it points.
import assert from "node:assert/strict";
import { test } from "node:test";
import { here, lessonWith, writeBook } from "../../../server-labs/fixtures/book.ts";
import { BookCompiler } from "./book-compiler.ts";

const lesson = "01-sockets/02-listen";
/** Line of lesson.md on which the body of lessonWith() begins. */
const first = 8;

/** The mistakes in a lesson with this body, as they are reported. */
async function told(body: string, more: Record<string, string | null> = {}): Promise<string> {
  using book = writeBook({ [`${lesson}/lesson.md`]: lessonWith(body), ...more });
  const { problems } = await new BookCompiler(book.folder).compile();
  return problems.map(p => `${p.file}:${p.line}:${p.column}: ${p.sentence}`).join("\n");
}

const figure = (svg: string) => ({ [`${lesson}/figures/f.svg`]: svg });
const hints = (text: string) => ({ [`${lesson}/lab/hints.md`]: text });

/** Body, line of the body and column, sentence; for a whole path the place is a string. */
const mistakes: [string, string, [number, number] | string, string, Record<string, string | null>?][] = [
  [
    "an unknown directive",
    "Words.\n\n:::asied\nx\n:::",
    [3, 1],
    'There is no directive "asied". Did you mean "aside"?',
  ],
  [
    "an unknown directive in a line",
    "See :sycsall[recv].",
    [1, 5],
    'There is no directive "sycsall". Did you mean "syscall"? If a colon was meant, write "\\:".',
  ],
  [
    "a curl that may wait for ever",
    "```shell\nls\ncurl -i http://127.0.0.1:{port}/\n```",
    [1, 1],
    '"curl -i http://127.0.0.1:7890/" may wait for ever: give it a limit: curl --max-time 5, read -t 5, or timeout 5 in front.',
  ],
  [
    "a program for node that may wait for ever",
    "```shell\nnode -e 'require(\"net\").connect({port})'\n```",
    [1, 1],
    `"node -e 'require("net").connect(7890)'" may wait for ever: give it a limit: curl --max-time 5, read -t 5, or timeout 5 in front.`,
  ],
  [
    "a scoreboard without rivals",
    ":::scoreboard\nx\n:::",
    [1, 1],
    "This lesson's lab has no rivals: lab/rivals/rivals.yaml declares them.",
  ],
  ["a block written in a line", "See :aside[x].", [1, 5], '"aside" is written :::aside.'],
  ["an inline directive written as a block", ":::pane\nx\n:::", [1, 1], '"pane" is written :pane[Syscalls].'],
  [
    "an unknown attribute",
    ":rfc[9110]{secton=8.6}",
    [1, 12],
    ':rfc[9110]{section=8.6} has no attribute "secton". Did you mean "section"?',
  ],
  [
    "an attribute where there are none",
    ":::aside{wide=yes}\nx\n:::",
    [1, 10],
    ':::aside has no attribute "wide". There are no attributes.',
  ],
  [
    "a label on a block",
    ":::aside[Note]\nx\n:::",
    [1, 9],
    ":::aside takes no [label]; write it into the text.",
  ],
  ["an unknown call", ":syscall[recieve]", [1, 10], '"recieve" is not a system call that this book knows.'],
  [
    "a card of an unknown function",
    "::call[recieve]",
    [1, 8],
    'workbook/net has no function "recieve". The functions are',
  ],
  [
    "a card of a function of two classes",
    "::call[close]",
    [1, 8],
    '"close" is a name of Epoll.close and of EventFd.close and of SignalFd.close and of Socket.close: write one of them.',
  ],
  [
    "tests that no comment tells",
    "::we-test",
    [1, 1],
    'In lab/checks.ts no doc comment above "answers" says what is sent and what is expected: /** … */.',
  ],
  ["an unknown pane", ":pane[Syscals]", [1, 7], 'There is no pane "Syscals". Did you mean "Syscalls"?'],
  [
    "an unknown check",
    "*It* :check[anwsers]",
    [1, 13],
    'This lesson has no check "anwsers". Did you mean "answers"?',
  ],
  [
    "a man page without its section",
    ":man[recv]",
    [1, 1],
    "A man page is written with its section: :man[recv(2)].",
  ],
  [
    "an RFC with a strange section",
    ":rfc[9110]{section=eight}",
    [1, 1],
    "An RFC is written with its number: :rfc[9110] or :rfc[9110]{section=8.6}.",
  ],
  [
    "HTML",
    "One <b>bold</b> word",
    [1, 5],
    "HTML is no part of a lesson: use a directive, or put it into `code`.",
  ],
  [
    "a title in the text",
    "# Title",
    [1, 1],
    "The title is in the fields above; headings of the text begin with ##.",
  ],
  ["a deep heading", "## A\n\n#### B", [3, 1], "Headings are ## or ###; a text needs no more levels."],
  ["two headings alike", "## A\n\nx\n\n### A", [5, 1], "Line 8 has the same heading; links need another."],
  ["a picture in a line", "A ![x](figures/f.svg) b", [1, 3], "A picture must be in a :::figure."],
  [
    "a footnote",
    "A[^1]\n\n[^1]: note",
    [1, 2],
    "There are no footnotes here: what would be one is an :::aside.",
  ],
  [
    "an unknown language",
    "```pyton\nx\n```",
    [1, 4],
    '"pyton" is not a language of this book. Did you mean "python"?',
  ],
  [
    "an unknown attribute of a fence",
    '```ts tilte="x"\nx\n```',
    [1, 7],
    '"tilte" is not an attribute of a fence. Did you mean "title"?',
  ],
  [
    "a fence with stray words",
    "```ts highlight\nx\n```",
    [1, 1],
    '"highlight" is not of the form name="value" (include, title, mark).',
  ],
  [
    "lines that are not there",
    '```ts mark="2-9"\na\nb\n```',
    [1, 7],
    'mark="2-9" must be lines of this block, 1 to 2: "2,5-7".',
  ],
  [
    "a file that is not there",
    '```ts include="lab/start.ts"\n```',
    [1, 16],
    "There is no file lab/start.ts in this lesson's folder.",
  ],
  [
    "a file outside the lesson",
    '```ts include="../../../secret.ts"\n```',
    [1, 16],
    "There is no file ../../../secret.ts in this lesson's folder.",
  ],
  [
    "a region that is not there",
    '```ts include="lab/solution.ts#mian"\n```',
    [1, 16],
    'lab/solution.ts has no region "mian". Did you mean "main"?',
  ],
  [
    "a region that does not end",
    '```ts include="lab/solution.ts#a"\n```',
    [1, 16],
    'lab/solution.ts has "#region a" but no "#endregion a" after it.',
    { [`${lesson}/lab/solution.ts`]: "// #region a\nx;\n" },
  ],
  [
    "a copy that has drifted",
    '```ts include="lab/solution.ts#main"\nexport function main() {\n  return 2;\n}\n```',
    [1, 16],
    "Line 2 of this copy is not what lab/solution.ts#main says. Copy it again, or leave the fence empty.",
  ],
  [
    "a link to no lesson",
    "[x](/sockets/listenn)",
    [1, 5],
    'There is no page "/sockets/listenn". Did you mean "sockets/listen"?',
  ],
  [
    "a link to no heading",
    "## The loop\n\n[x](#the-lop)",
    [3, 5],
    '"/sockets/listen" has no heading "#the-lop". Did you mean "the-loop"?',
  ],
  [
    "a link to a file",
    "[x](../03-more/lesson.md)",
    [1, 1],
    'A link leads to /<chapter>/<lesson>, to #<heading>, or to the web; "../03-more/lesson.md" does not.',
  ],
  ["two cards", "::lab", [3, 1], "A lesson has one lab, and one card that opens it."],
  [
    "a guess without a name",
    ":::predict\nQ?\n\n---\n\nA\n:::",
    [1, 1],
    ":::predict needs a name, under which answers are kept: :::predict{#some-name}.",
  ],
  [
    "a guess without its answer",
    ":::predict{#a}\nQ?\n:::",
    [1, 1],
    ":::predict has a question, a line of ---, and below it what to look at once one has guessed.",
  ],
  [
    "a guess with two right answers",
    ":::predict{#a}\nQ?\n\n- [x] a\n- [x] b\n\n---\n\nA\n:::",
    [4, 1],
    "A guess has at most one right answer, - [x]; this one has 2.",
  ],
  [
    "two questions with one name",
    ":::predict{#a}\nQ?\n\n---\n\nA\n:::\n\n:::predict{#a}\nQ?\n\n---\n\nA\n:::",
    [9, 13],
    'This page has two questions named "a".',
  ],
  [
    "a quiz with two right answers",
    ":::quiz{#a}\nQ?\n\n- [x] a\n- [x] b\n:::",
    [4, 1],
    "A quiz has exactly one right answer, - [x]; this one has 2.",
  ],
  [
    "a wrong answer without its why",
    ":::quiz{#a}\nQ?\n\n- [x] a\n- [ ] b\n:::",
    [5, 1],
    "A wrong answer says why it is wrong, in a paragraph below it (indented by two spaces).",
  ],
  [
    "a stray end of a block",
    "Words.\n\n:::",
    [3, 1],
    '":::" begins or ends no block here. A block begins with :::name without a space',
  ],
  ["a block that begins with a space", "::: quiz\nQ?\n:::", [1, 1], '":::" begins or ends no block here.'],
  [
    "a block in a block with as many colons",
    ":::aside\nx\n\n:::try\n```shell\nls\n```\n:::\n\nWords.\n:::",
    [11, 1],
    '":::" begins or ends no block here.',
  ],
  ["nothing to copy", ":::try\nx\n:::", [1, 1], ":::try has at least one ```shell fence to copy."],
  [
    "three to compare",
    ":::compare\n```ts\n```\n:::",
    [1, 1],
    ":::compare has exactly two fences, which are shown side by side.",
  ],
  [
    "a figure without a picture",
    ":::figure\nWords\n:::",
    [1, 1],
    ":::figure begins with one image in a paragraph of its own: ![what it shows](figures/name.svg).",
  ],
  [
    "a figure that is not there",
    ":::figure\n![x](figures/g.svg)\n:::",
    [2, 1],
    "There is no file figures/g.svg in this lesson's folder.",
  ],
  [
    "a figure for the seeing only",
    ":::figure\n![](figures/f.svg)\n:::",
    [2, 1],
    "A figure says what it shows, for those who do not see it: ![here](…).",
    figure('<svg viewBox="0 0 1 1"></svg>'),
  ],
  [
    "a figure with a style sheet",
    ":::figure\n![x](figures/f.svg)\n:::",
    [2, 1],
    'figures/f.svg has a <style>: write fill="var(--ready)" at the shapes instead.',
    figure('<svg viewBox="0 0 1 1"><style>p{}</style></svg>'),
  ],
  [
    "a figure with a script",
    ":::figure\n![x](figures/f.svg)\n:::",
    [2, 1],
    "figures/f.svg may draw only: no script, no handler, nothing from elsewhere.",
    figure('<svg viewBox="0 0 1 1"><script>x</script></svg>'),
  ],
  [
    "hints for an unknown check",
    "x",
    `${here}/lab/hints.md:5:4`,
    'There is no check "anwsers". Did you mean "answers"?',
    hints("## answers\n### 1\nx\n\n## anwsers\n### 1\nx"),
  ],
  [
    "rungs out of order",
    "x",
    `${here}/lab/hints.md:2:1`,
    'The next hint is "### 1".',
    hints("## answers\n### 2\nx"),
  ],
  [
    "a check without hints",
    "x",
    `${here}/lab/hints.md:1:1`,
    'The check "answers" has no hints: "## answers", then "### 1".',
    hints("Later.\n"),
  ],
];

for (const [name, body, at, sentence, more] of mistakes)
  test(`mistake: ${name}`, async () => {
    const place = typeof at === "string" ? at : `${here}/lesson.md:${at[0] + first - 1}:${at[1]}`;
    const [line] = (await told(body, more)).split("\n");
    assert.ok(line?.startsWith(`${place}: ${sentence}`), `told: ${line}\nnot:  ${place}: ${sentence}`);
  });

test("a lab that no card opens", async () => {
  const text = lessonWith("x").replace("::lab", "");
  assert.equal(
    await told("", { [`${lesson}/lesson.md`]: text }),
    `${here}/lesson.md:1:1: This lesson has a lab, but its text has no :::lab that opens it.`,
  );
});

test("no mistake: colons, braces and angles that mean themselves", async () => {
  const body = "At 10:30 and 10:am, `{ fd, events }`, a \\< b, http://127.0.0.1:7890/ and ok :) {x}.";
  assert.equal(await told(body), "");
});

const fields = "---\ntitle: T\nsummary: S\n---\n\n";
const terms = "| Term | 中文 | Meaning | Read more |\n| --- | --- | --- | --- |\n";
for (const [file, address, text] of [
  ["chapter.md", "sockets", "## The way\n\n[x](#the-wey)\n"],
  ["closing.md", "sockets/closing", "## The way\n\n[x](#the-wey)\n"],
  ["glossary.md", "sockets/glossary", `${terms}| the way | 路 | It is [short](#the-wey). | |\n`],
] as const)
  test(`a link of ${file} to no heading of its own`, async () => {
    const message = await told("x", { [`01-sockets/${file}`]: fields + text });
    assert.match(message, new RegExp(`^chapters/01-sockets/${file}:\\d+:\\d+: "/${address}" has no heading`));
    assert.match(message, /Did you mean "the-way"\?$/);
  });

test("a lesson may link to a heading of a page that is not a lesson", async () => {
  const closing = `${fields}## The way\n\n[here](#the-way)\n`;
  assert.equal(await told("[x](/sockets/closing#the-way)", { "01-sockets/closing.md": closing }), "");
});
