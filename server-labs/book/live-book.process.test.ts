// The book of a lab server while an author writes: a new lesson has its lab, and a mistake takes away nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { writeBook } from "../fixtures/book.ts";
import { LiveBook } from "./live-book.ts";

const another = {
  "01-sockets/03-poll/lesson.md":
    "---\ntitle: Polling\nsummary: A loop.\nlab:\n  port: 7891\n---\n\nWords.\n\n::lab\n",
  "01-sockets/03-poll/lab/solution.ts": "export const answer = 1;\n",
  "01-sockets/03-poll/lab/checks.ts": 'check("sleeps", "sleeps in between", async () => {});\n',
};

test("a lesson that is written while the lab server runs has its lab, and one whose port changes keeps up", () => {
  using files = writeBook();
  const book = new LiveBook(files.folder);
  assert.equal(book.lab("sockets/poll"), undefined);
  for (const [file, text] of Object.entries(another)) files.write(file, text);
  book.refresh();
  assert.deepEqual(book.problems, []);
  assert.equal(book.lab("sockets/poll")?.port, 7891);
  const lesson = "01-sockets/03-poll/lesson.md";
  files.write(lesson, another[lesson].replace("7891", "7892"));
  book.refresh();
  assert.equal(book.lab("sockets/poll")?.port, 7892);
});

test("a mistake is told, and a lab that cannot be read now stays as it was", () => {
  using files = writeBook(another);
  const book = new LiveBook(files.folder);
  files.write("01-sockets/02-listen/lesson.md", "No fields.\n");
  book.refresh();
  assert.match(book.problems[0]!.sentence, /A lesson begins with its fields/);
  assert.deepEqual(book.labs.map(({ id }) => id).sort(), ["sockets/listen", "sockets/poll"]);
  assert.equal(book.lab("sockets/listen")?.port, 7890);
});
