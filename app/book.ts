/// <reference path="./lessons/virtual.d.ts" />
/// <reference types="vite/client" />
// The page's one door to chapters: the contents at once, each lesson when it is opened. In `npm run dev` a
// changed lesson arrives here as data, so that the page keeps its scroll and the student's text.
import { book, lessons } from "virtual:book";
import type { BookData, Chapter, LessonContent, LessonMeta } from "./lessons/content.ts";

export type { Chapter, LabMeta, LessonContent, LessonMeta, Words } from "./lessons/content.ts";

let current: BookData = book;
const loaded = new Map<string, Promise<LessonContent>>();
const listeners = new Map<string, Set<(content: LessonContent) => void>>();
const bookListeners = new Set<() => void>();

/** All chapters with their lessons, in reading order. The same array until the book changes. */
export function contents(): Chapter[] {
  return current.chapters;
}

/** What the contents say of one lesson. */
export function lesson(id: string): LessonMeta | undefined {
  for (const chapter of current.chapters) {
    const found = chapter.lessons.find(l => l.id === id);
    if (found) return found;
  }
  return undefined;
}

/**
 * The text of a lesson, fetched once.
 * @throws Error if there is no such lesson, or if it could not be fetched (the next call tries again)
 */
export function loadLesson(id: string): Promise<LessonContent> {
  const known = loaded.get(id);
  if (known) return known;
  const load = lessons[id];
  if (!load) return Promise.reject(new Error(`There is no lesson "${id}" in this book.`));
  const content = load().then(module => module.default);
  loaded.set(id, content);
  content.catch(() => loaded.delete(id));
  return content;
}

/** Calls back with the new text whenever a lesson is changed on disk (only in development). Returns "stop". */
export function onLessonChange(id: string, listener: (content: LessonContent) => void): () => void {
  const all = listeners.get(id) ?? new Set();
  listeners.set(id, all.add(listener));
  return () => all.delete(listener);
}

/** Calls back when titles, order or checks in the contents have changed (only in development). */
export function onBookChange(listener: () => void): () => void {
  bookListeners.add(listener);
  return () => bookListeners.delete(listener);
}

import.meta.hot?.on("workbook:lesson", (content: LessonContent) => {
  loaded.set(content.id, Promise.resolve(content));
  for (const listener of listeners.get(content.id) ?? []) listener(content);
});

import.meta.hot?.on("workbook:book", (data: BookData) => {
  current = data;
  for (const listener of bookListeners) listener();
});
