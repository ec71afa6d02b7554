// Reading the book: its order and ids, and each mistake with its place and a way out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { here, writeBook } from "../fixtures/book.ts";
import { BookError, checksFilesOf, readBook } from "./book.ts";
import { furtherHintsOf, hintsOf } from "./hints.ts";
import { applyDiff } from "./mutant.ts";

const lesson = "01-sockets/02-listen";
const fields = (yaml: string) => ({ [`${lesson}/lesson.md`]: `---\n${yaml}\n---\n` });
const lab = "title: T\nsummary: S\nlab:\n  port: 7890";

test("a lesson with a lab", () => {
  using book = writeBook();
  const { chapters, labs, lab } = readBook(book.folder);
  assert.deepEqual(
    chapters.map(c => [c.id, c.number, c.title, c.lessons.map(l => [l.id, l.number])]),
    [["sockets", 1, "Sockets", [["sockets/listen", 2]]]],
  );
  const found = lab("sockets/listen");
  assert.equal(found, labs[0]);
  assert.equal(found?.port, 7890);
  assert.equal(found?.title, "Listening", "a lab has the lesson's title unless it has its own");
  assert.deepEqual(found?.checks, [{ id: "answers", title: "answers everybody", tests: null }]);
  assert.match(readFileSync(found!.files[0]!.starter, "utf8"), /7890/);
  assert.equal(lab("sockets/nothing"), undefined);
});

test("folder numbers give the order; a lab without a starter begins with the solution before it", () => {
  using book = writeBook({
    "01-sockets/10-later/lesson.md": `---\n${lab}\n---\n`,
    "01-sockets/10-later/lab/solution.ts": "",
    "01-sockets/10-later/lab/checks.ts": 'check("b", "is b", async () => {});',
    "01-sockets/03-prose/lesson.md": "---\ntitle: T\nsummary: S\n---\n",
    "00-before/chapter.md": "---\ntitle: Before\nsummary: S\n---\n",
  });
  const { chapters, lessons, labs } = readBook(book.folder);
  assert.deepEqual(
    chapters.map(c => c.id),
    ["before", "sockets"],
  );
  assert.deepEqual(
    lessons.map(l => l.id),
    ["sockets/listen", "sockets/prose", "sockets/later"],
  );
  assert.equal(labs[1]?.files[0]?.starter, labs[0]?.solution);
});

test("a program of several files is a folder, whose server.ts runs", () => {
  using book = writeBook({
    [`${lesson}/lab/starter.ts`]: null,
    [`${lesson}/lab/starter/server.ts`]: 'import "./greet.ts";\n',
    [`${lesson}/lab/starter/greet.ts`]: "",
    [`${lesson}/lab/solution.ts`]: null,
    [`${lesson}/lab/solution/server.ts`]: "a\nb\n",
    [`${lesson}/lab/mutants/m.diff`]: "// caught by: answers\n@@\n-a\n+c\n",
  });
  const [found] = readBook(book.folder).labs;
  const folder = join(book.folder, lesson, "lab");
  assert.deepEqual(found!.files, [
    { file: "server.ts", starter: join(folder, "starter/server.ts") },
    { file: "greet.ts", starter: join(folder, "starter/greet.ts") },
  ]);
  assert.equal(found!.solution, join(folder, "solution/server.ts"));
});

test("checks are read off the source, whatever is around them", () => {
  using book = writeBook({
    [`${lesson}/lab/checks.ts`]: `// check("not", "this")
/* check("nor", "this") */
const text = 'check("or", "this")' + \`check(\${"a"})\`;
server.check("nor", "that");
check( 'one',
  "says \\"hello\\"", async () => {});
/**
 * One client sends a byte.
 * The server answers.
 */
check("two", \`is two\`, { trace: true }, async () => {});
/** Of the constant below. */
const three = 3;
check("three", "is three", async () => {});
`,
  });
  assert.deepEqual(readBook(book.folder).labs[0]?.checks, [
    { id: "one", title: 'says "hello"', tests: null },
    { id: "two", title: "is two", tests: "One client sends a byte. The server answers." },
    { id: "three", title: "is three", tests: null },
  ]);
});

test("a lab passes an earlier one: its checks come first, its hints where the lab has none", () => {
  const later = "01-sockets/10-later";
  const files = {
    [`${later}/lesson.md`]: `---\n${lab}\n  passes: sockets/listen\n---\n`,
    [`${later}/lab/solution.ts`]: "a\n",
    [`${later}/lab/checks.ts`]: 'check("own", "is its own", async () => {});',
    [`${later}/lab/hints.md`]: "## own\n\n### 1\n\nLook.\n",
    [`${later}/lab/mutants/m.diff`]: "// caught by: answers\n@@\n-a\n+c\n",
  };
  using book = writeBook(files);
  const [first, second] = readBook(book.folder).labs;
  assert.deepEqual(second!.checks, [
    { id: "answers", title: "answers everybody", tests: null, from: "sockets/listen" },
    { id: "own", title: "is its own", tests: null },
  ]);
  assert.deepEqual(checksFilesOf(second!), [first!.checksFile, second!.checksFile]);
  assert.deepEqual(hintsOf(second!)!.mistakes, []);
  assert.deepEqual([...furtherHintsOf(second!)!.ladders.keys()], ["answers"]);
  book.write(`${later}/lab/hints.md`, "## own\n\n### 1\n\nLook.\n\n## answers\n\n### 1\n\nMine.\n");
  assert.deepEqual([...furtherHintsOf(second!)!.ladders.keys()], []);
  book.write(`${later}/lesson.md`, `---\n${lab}\n  passes: sockets/later\n---\n`);
  assert.throws(
    () => readBook(book.folder),
    /No lab before this one is "sockets\/later": "passes" names an earlier lab\./,
  );
  book.write(`${later}/lesson.md`, files[`${later}/lesson.md`]!);
  book.write(`${later}/lab/checks.ts`, 'check("answers", "is", async () => {});');
  assert.throws(() => readBook(book.folder), /There are two checks with the id "answers"\./);
});

test("a mutant names the check that catches it", () => {
  using book = writeBook({ [`${lesson}/lab/mutants/deaf.ts`]: "// caught by: answers\n" });
  const [mutant] = readBook(book.folder).labs[0]!.mutants;
  assert.deepEqual(mutant, {
    file: join(book.folder, lesson, "lab/mutants/deaf.ts"),
    caughtBy: "answers",
  });
});

test("a mutant may be a diff of the solution, which names its place by its lines", () => {
  const solution = "one\ntwo\n\nsame\nthree\nsame\n";
  const diff = (hunks: string) => applyDiff(`// caught by: answers\n// The mistake: …\n${hunks}`, solution);
  assert.deepEqual(diff("@@ any words\n two\n+and a half\n"), {
    program: "one\ntwo\nand a half\n\nsame\nthree\nsame\n",
  });
  assert.deepEqual(diff("@@\n three\n-same\n+other\n@@\n-one\n two\n\n"), {
    program: "two\n\nsame\nthree\nother\n",
  });
  using book = writeBook({
    [`${lesson}/lab/mutants/two.diff`]: "// caught by: answers\n\n@@\n-  return 1;\n+  return 2;\n",
  });
  assert.equal(readBook(book.folder).labs[0]!.mutants[0]!.caughtBy, "answers");
});

const mutant = (hunks: string) => ({ [`${lesson}/lab/mutants/m.diff`]: `// caught by: answers\n${hunks}\n` });
const mistakes: [string, Record<string, string | null>, string][] = [
  [
    "no front matter",
    { [`${lesson}/lesson.md`]: "Words.\n" },
    `${here}/lesson.md:1:1: A lesson begins with its fields between two lines of ---: id, title, summary, course, minutes, lab.`,
  ],
  [
    "a misspelt field",
    fields("title: T\nsumary: S\nsummary: S"),
    `${here}/lesson.md:3:1: "sumary" is not a field of a lesson. Did you mean "summary"?`,
  ],
  [
    "a misspelt field of the lab",
    fields(`${lab}\n  prot: 7`),
    `${here}/lesson.md:6:3: "lab.prot" is not a field of a lesson. Did you mean "port"?`,
  ],
  [
    "a field that is like no other",
    fields(`${lab}\nzzzzzzz: 1`),
    `${here}/lesson.md:6:1: "zzzzzzz" is not a field of a lesson. The fields are: id, title, summary, course, minutes, lab.`,
  ],
  ["no title", fields("summary: S"), `${here}/lesson.md:2:1: The lesson has no "title".`],
  [
    "a number for a text",
    fields(`${lab}\ncourse: 1.1`),
    `${here}/lesson.md:6:1: "course" must be text: put it in quotes if it looks like something else.`,
  ],
  [
    "a port that needs root",
    fields("title: T\nsummary: S\nlab:\n  port: 80"),
    `${here}/lesson.md:5:3: "lab.port" must be a whole number from 1024 to 65535.`,
  ],
  [
    "a lab that is only a port",
    fields("title: T\nsummary: S\nlab: 7890"),
    `${here}/lesson.md:4:1: "lab" has fields of its own: title, summary, port, descriptors, site, http, passes.`,
  ],
  [
    "no YAML",
    fields("title: 'T\nsummary: S"),
    `${here}/lesson.md:4:1: This is not YAML: Missing closing 'quote.`,
  ],
  [
    "another id than the folders",
    fields(`id: sockets/listening\n${lab}`),
    `${here}/lesson.md:1:1: The folders say that this lesson is "sockets/listen", not "sockets/listening".`,
  ],
  [
    "a lab folder that nothing speaks of",
    fields("title: T\nsummary: S"),
    `${here}/lesson.md:1:1: There is a lab/ beside this lesson, but no "lab:" with its port in the fields.`,
  ],
  [
    "no solution",
    { [`${lesson}/lab/solution.ts`]: null },
    `${here}/lab/solution.ts:1:1: A lab has a solution.ts, and this file is missing.`,
  ],
  [
    "nothing to start from",
    { [`${lesson}/lab/starter.ts`]: null },
    `${here}/lab/starter.ts:1:1: A lab begins with its starter.ts, or with the solution before it; this one has neither.`,
  ],
  [
    "a check whose id is computed",
    { [`${lesson}/lab/checks.ts`]: 'check("a", "is a", f);\n  check(id, "is b", f);\n' },
    `${here}/lab/checks.ts:2:3: A check is written check("id", "title", …) with both as plain strings: the page lists them.`,
  ],
  [
    "two checks with one id",
    { [`${lesson}/lab/checks.ts`]: 'check("a", "is a", f);\ncheck("a", "is b", f);\n' },
    `${here}/lab/checks.ts:2:1: There are two checks with the id "a".`,
  ],
  [
    "no check at all",
    { [`${lesson}/lab/checks.ts`]: "// later\n" },
    `${here}/lab/checks.ts:1:1: This file declares no check.`,
  ],
  [
    "a mutant of an unknown check",
    { [`${lesson}/lab/mutants/m.ts`]: "// caught by: anwsers\n" },
    `${here}/lab/mutants/m.ts:1:15: No check has the id "anwsers". Did you mean "answers"?`,
  ],
  [
    "a mutant that names no check",
    { [`${lesson}/lab/mutants/m.ts`]: "const a = 1;\n" },
    `${here}/lab/mutants/m.ts:1:1: A mutant's first line is: // caught by: <check id>`,
  ],
  [
    "a diff whose lines the solution has not",
    mutant("@@\n export function main() {\n-  return 2;\n+  return 3;"),
    `${here}/lab/mutants/m.diff:4:1: solution.ts has no such line behind those above it: copy the line from solution.ts as it is now.`,
  ],
  [
    "a diff whose first line the solution has not",
    mutant("@@\n-nothing of it"),
    `${here}/lab/mutants/m.diff:3:1: solution.ts has no such line where this hunk begins: copy the line from solution.ts as it is now.`,
  ],
  [
    "a diff whose lines are in the solution twice",
    {
      [`${lesson}/lab/solution.ts`]: "a\nb\na\n",
      ...mutant("@@\n-a"),
    },
    `${here}/lab/mutants/m.diff:2:1: The lines of this hunk are 2 times in solution.ts (at 1, 3): add lines around them until they are there once.`,
  ],
  [
    "a hunk without a place",
    mutant("@@\n+  return 3;"),
    `${here}/lab/mutants/m.diff:2:1: This hunk has no place: give it a line of solution.ts, behind a space (the line stays) or - (the line goes).`,
  ],
  [
    "a hunk that changes nothing",
    mutant("@@\n   return 1;"),
    `${here}/lab/mutants/m.diff:2:1: This hunk changes nothing: no line of it has - or +.`,
  ],
  [
    "two hunks about one line",
    mutant("@@\n   return 1;\n+  // so\n@@\n-  return 1;"),
    `${here}/lab/mutants/m.diff:5:1: Two hunks share a line of solution.ts: make one hunk of them.`,
  ],
  [
    "a line of a hunk that is of no kind",
    mutant("@@\n-  return 1;\nreturn 2;"),
    `${here}/lab/mutants/m.diff:4:1: A line of a hunk begins with a space (stays), - (goes), + (comes), or @@ (the next hunk).`,
  ],
  [
    "a diff without a hunk, with words before it",
    mutant("The mistake."),
    `${here}/lab/mutants/m.diff:2:1: Before the first @@ write only lines that begin with //, or empty lines.
${here}/lab/mutants/m.diff:2:1: This diff changes nothing: it has no hunk, which begins with a line @@.`,
  ],
  [
    "a folder without a number",
    { "01-sockets/bonus/lesson.md": "" },
    `chapters/01-sockets/bonus:1:1: A folder here is named "07-some-name".`,
  ],
  [
    "two lessons with one number",
    { "01-sockets/02-mask/lesson.md": "" },
    "chapters/01-sockets/02-mask:1:1: 02-listen has this number or name too.",
  ],
  [
    "a chapter without its file",
    { "02-epoll/01-a/lesson.md": "" },
    "chapters/02-epoll/chapter.md:1:1: A chapter's folder has a chapter.md; this one does not.",
  ],
];

for (const [name, changes, message] of mistakes)
  test(`mistake: ${name}`, () => {
    using book = writeBook(changes);
    assert.throws(() => readBook(book.folder), { name: "BookError", message });
  });

test("one error lists all mistakes", () => {
  using book = writeBook({
    "01-sockets/chapter.md": "---\ntitle: A\nsummary: B\n---\n",
    ...fields("titel: T\nsummary: S"),
    "01-sockets/03-b/lesson.md": "---\nsummary: S\n---\n",
  });
  assert.throws(
    () => readBook(book.folder),
    (error: unknown) => {
      assert.ok(error instanceof BookError);
      const places = error.problems.map(p => `${p.file.split("/").at(-2)}:${p.line}: ${p.sentence}`);
      assert.deepEqual(places, [
        '02-listen:2: The lesson has no "title".',
        '02-listen:2: "titel" is not a field of a lesson. Did you mean "title"?',
        '03-b:2: The lesson has no "title".',
      ]);
      return true;
    },
  );
});

test("this book has no mistakes", () => {
  const { chapters } = readBook(fileURLToPath(new URL("../../chapters", import.meta.url)));
  assert.ok(chapters.length > 0);
});
