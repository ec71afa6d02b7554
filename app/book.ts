/// <reference path="./build/lessons/virtual.d.ts" />
/// <reference types="vite/client" />
// Book. The contents at once, each lesson when it is opened; the page's only import of chapters.
// In `npm run dev` a changed lesson arrives here as data, so that the page keeps its scroll position and the student's text.
import { book, texts } from "virtual:book";
import type { BookData, ChapterMeta, LessonMeta, TextContent } from "./lesson-content.ts";

export type {
  ChapterMeta,
  DirectiveElements,
  LabMeta,
  LessonContent,
  LessonMeta,
  TextContent,
} from "./lesson-content.ts";
export { referenceId } from "./lesson-content.ts";

let current: BookData = book;
const loaded = new Map<string, Promise<TextContent>>();
const listeners = new Map<string, Set<(content: TextContent) => void>>();
const bookListeners = new Set<() => void>();

/** All chapters with their lessons, in reading order. The same array until the book changes. */
export function contents(): ChapterMeta[] {
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
 * A text of the book, fetched once: a lesson, or another page.
 * @throws Error if there is no such text, or if it could not be fetched (the next call tries again)
 */
export function loadText<Content extends TextContent>(id: string): Promise<Content> {
  const known = loaded.get(id) as Promise<Content> | undefined;
  if (known) return known;
  const load = texts[id];
  if (!load) return Promise.reject(new Error(`There is no text "${id}" in this book.`));
  const content = load().then(module => module.default as Content);
  loaded.set(id, content);
  content.catch(() => loaded.delete(id));
  return content;
}

/** Calls back with the new text whenever it is changed on disk (only in development). Returns "stop". */
export function onTextChange<Content extends TextContent>(
  id: string,
  listener: (content: Content) => void,
): () => void {
  const all = listeners.get(id) ?? new Set();
  const called = listener as (content: TextContent) => void;
  listeners.set(id, all.add(called));
  return () => all.delete(called);
}

/** Calls back when titles, order or checks in the contents have changed (only in development). */
export function onBookChange(listener: () => void): () => void {
  bookListeners.add(listener);
  return () => bookListeners.delete(listener);
}

import.meta.hot?.on("workbook:text", (content: TextContent) => {
  loaded.set(content.id, Promise.resolve(content));
  for (const listener of listeners.get(content.id) ?? []) listener(content);
});

import.meta.hot?.on("workbook:book", (data: BookData) => {
  current = data;
  for (const listener of bookListeners) listener();
});
