// What a save compiles: its own text, and the texts that looked something up in it. And what the next start need not compile.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { lessonWith, writeBook } from "../../../server-labs/fixtures/book.ts";
import { BookCompiler } from "./book-compiler.ts";
import { type CompiledText, type Sources, TextMemory } from "./text-memory.ts";

/** Notes the texts that are compiled. */
class NotingMemory extends TextMemory {
  compiled: string[] = [];

  override recall(
    id: string,
    sources: Sources,
    context: Parameters<TextMemory["recall"]>[2],
    compile: Parameters<TextMemory["recall"]>[3],
  ): CompiledText {
    return super.recall(id, sources, context, noting => {
      this.compiled.push(id);
      return compile(noting);
    });
  }

  /** The texts that were compiled since the last question. */
  take(): string[] {
    return this.compiled.splice(0).sort();
  }
}

const listen = "01-sockets/02-listen/lesson.md";
const poll = "01-sockets/03-poll/lesson.md";
const prose = (body: string) => `---\ntitle: Polling\nsummary: A loop.\n---\n\n${body}\n`;
const files = {
  [listen]: lessonWith("## A door\n\nWords."),
  [poll]: prose("Back to [the door](/sockets/listen#a-door)."),
};

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "workbook-texts-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("a save compiles its own lesson, and the lessons that link to what has changed", async () => {
  using book = writeBook(files);
  const memory = new NotingMemory(null, "");
  const compiler = new BookCompiler(book.folder, memory);
  await compiler.compile();
  assert.deepEqual(memory.take(), ["reference", "sockets", "sockets/listen", "sockets/poll"]);
  await compiler.compile();
  assert.deepEqual(memory.take(), []);

  book.write(listen, lessonWith("## A door\n\nOther words."));
  assert.deepEqual((await compiler.compile()).problems, []);
  assert.deepEqual(memory.take(), ["sockets/listen"]);

  book.write(listen, lessonWith("## A gate\n\nOther words."));
  const { problems } = await compiler.compile();
  assert.deepEqual(memory.take(), ["sockets/listen", "sockets/poll"]);
  assert.match(problems[0]!.sentence, /"\/sockets\/listen" has no heading "#a-door"/);

  book.write("01-sockets/02-listen/lab/hints.md", "## answers\n\n### 1\n\nListen.\n");
  await compiler.compile();
  assert.deepEqual(memory.take(), ["sockets/listen"]);
});

test("the next start compiles what has changed since, and another compiler compiles everything", async t => {
  using book = writeBook(files);
  const kept = folder(t);
  const first = new BookCompiler(book.folder, new TextMemory(kept, "1"));
  await first.compile();

  book.write(poll, prose("It polls."));
  const memory = new NotingMemory(kept, "1");
  const second = new BookCompiler(book.folder, memory);
  await second.compile();
  assert.deepEqual(memory.take(), ["sockets/poll"]);
  assert.deepEqual(second.lessons.get("sockets/listen"), first.lessons.get("sockets/listen"));

  const newer = new NotingMemory(kept, "2");
  await new BookCompiler(book.folder, newer).compile();
  assert.equal(newer.take().length, 4);
});

test("one mistake holds up its own lesson only, also where the lesson cannot be read at all", async () => {
  using book = writeBook(files);
  const compiler = new BookCompiler(book.folder);
  await compiler.compile();
  book.write(listen, lessonWith("## A door").replace("title:", "titel:"));
  book.write(poll, prose("It polls."));
  const { texts, problems } = await compiler.compile();
  assert.deepEqual(
    texts.map(text => text.id),
    ["sockets/poll"],
  );
  assert.ok(problems.some(({ sentence }) => /"titel" is not a field of a lesson/.test(sentence)));
  assert.equal(compiler.book.chapters[0]!.lessons.length, 2, "the contents keep the lesson");
  assert.ok(compiler.lessons.has("sockets/listen"), "and the page keeps its last text");
});
