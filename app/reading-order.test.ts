// Which page comes before and after each page of a book.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChapterMeta, LessonMeta } from "./lesson-content.ts";
import { neighboursOf } from "./reading-order.ts";

const lesson = (id: string) => ({ id, title: id }) as LessonMeta;
const head = (title: string) => ({ title, summary: "" });
const book: ChapterMeta[] = [
  {
    id: "one",
    number: 1,
    title: "One",
    summary: "",
    lessons: [lesson("one/a"), lesson("one/b")],
    closing: head("What one was about"),
    glossary: head("Words of one"),
  },
  {
    id: "two",
    number: 2,
    title: "Two",
    summary: "",
    lessons: [lesson("two/a")],
    closing: null,
    glossary: null,
  },
];

test("the way through all pages: each chapter's opening, lessons, closing and glossary", () => {
  const walked = ["one"];
  for (let next = neighboursOf(book, "one").next; next; next = neighboursOf(book, next.id).next)
    walked.push(next.id);
  assert.deepEqual(walked, ["one", "one/a", "one/b", "one/closing", "one/glossary", "two", "two/a"]);
});

test("the way back is the same", () => {
  const walked = ["two/a"];
  for (let page = neighboursOf(book, "two/a").previous; page; page = neighboursOf(book, page.id).previous)
    walked.unshift(page.id);
  assert.deepEqual(walked, ["one", "one/a", "one/b", "one/closing", "one/glossary", "two", "two/a"]);
});

test("a page that is not in the book's order has no neighbours", () => {
  assert.deepEqual(neighboursOf(book, "reference"), { previous: null, next: null });
  assert.equal(neighboursOf(book, "one/glossary").previous?.title, "What one was about");
});
