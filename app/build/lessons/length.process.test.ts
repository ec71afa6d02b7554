// How many words a lesson has, and what is said when they are too many or still few.
import assert from "node:assert/strict";
import { test } from "node:test";
import { here, lessonWith, writeBook } from "../../../server-labs/fixtures/book.ts";
import { BookCompiler } from "./book-compiler.ts";
import { proseWords } from "./length.ts";

const lesson = "01-sockets/02-listen";
const words = (count: number) => "byte. ".repeat(count);

async function printed(body: string) {
  using book = writeBook({
    [`${lesson}/lesson.md`]: lessonWith(body),
    [`${lesson}/figures/f.svg`]: '<svg viewBox="0 0 9 9"><text>drawn</text></svg>',
  });
  const compiler = new BookCompiler(book.folder);
  const { problems, notes } = await compiler.compile();
  const told = (all: typeof problems) => all.map(p => `${p.file}:${p.line}:${p.column}: ${p.sentence}`);
  return {
    problems: told(problems),
    notes: told(notes.filter(({ sentence }) => sentence.includes(" words, "))),
    words: proseWords(compiler.lessons.get("sockets/listen")!.tree),
  };
}

test("what is read counts: paragraphs, headings, lists, tables, what a guess reveals, what one is to try", async () => {
  const counts: [string, number][] = [
    ["The kernel *re*tries `recv(2)` – twice.", 5],
    ["See :syscall[recv], :man[recv(2)]; the server :check[answers].", 7],
    ["## Two queues\n\n- one\n- the other", 5],
    ["| call | gives |\n| --- | --- |\n| `recv` | bytes |", 4],
    ["::::predict{#a}\nNot this?\n\n- nor this\n\n---\n\nBut this one.\n::::", 3],
    [":::try\nAsk it:\n\n```shell\ncurl -i -m 2 http://127.0.0.1/\n```\n\nIt answers.\n:::", 4],
  ];
  for (const [body, count] of counts) assert.equal((await printed(body)).words, count, body);
});

test("what is looked at, answered or left out does not: code, figures, quizzes, margin notes", async () => {
  for (const body of [
    "```ts\nconst one = 1;\n```",
    ":::compare\n```python\none = 1\n```\n\n```ts\nconst one = 1;\n```\n:::",
    ":::figure\n![One box](figures/f.svg)\n\nA caption.\n:::",
    ":::quiz{#a}\nWhat?\n\n- [ ] this\n\n  Why not.\n- [x] that\n:::",
    ":::aside\nFor the curious.\n:::",
    ":::recap\n- Said again.\n:::",
  ])
    assert.equal((await printed(body)).words, 0, body);
});

test("more than 900 words are a mistake", async () => {
  assert.deepEqual(await printed(words(901)), {
    problems: [
      `${here}/lesson.md:1:1: This lesson has 901 words, and one idea takes 400 to 900 (code, figures, questions, margin notes and the recap not counted). Say each thing once, put what only the curious ask into an :::aside, or make two lessons of it.`,
    ],
    notes: [],
    words: 901,
  });
  assert.deepEqual(await printed(words(900)), { problems: [], notes: [], words: 900 });
});

test("fewer than 400 are none, for a lesson grows: it is only said", async () => {
  assert.deepEqual(await printed(words(399)), {
    problems: [],
    notes: [
      `${here}/lesson.md:1:1: This lesson has 399 words, and one idea takes 400 to 900 (code, figures, questions, margin notes and the recap not counted). If it is still being written, all is well.`,
    ],
    words: 399,
  });
  assert.deepEqual(await printed(words(400)), { problems: [], notes: [], words: 400 });
});
