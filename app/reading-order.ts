// Reading order. All pages of the book that are read one after another: how a chapter opens, its lessons, how it closes, its
// glossary.
import type { ChapterMeta } from "./lesson-content.ts";

export interface BookPage {
  /** Its address without the slash. */
  id: string;
  title: string;
}

function readingOrder(chapters: readonly ChapterMeta[]): BookPage[] {
  return chapters.flatMap(({ id, title, lessons, closing, glossary }) => [
    { id, title },
    ...lessons,
    ...(closing ? [{ id: `${id}/closing`, title: closing.title }] : []),
    ...(glossary ? [{ id: `${id}/glossary`, title: glossary.title }] : []),
  ]);
}

/** The pages before and after this one; null at the ends, and for a page that is not in the order. */
export function neighboursOf(
  chapters: readonly ChapterMeta[],
  id: string,
): { previous: BookPage | null; next: BookPage | null } {
  const pages = readingOrder(chapters);
  const here = pages.findIndex(page => page.id === id);
  if (here < 0) return { previous: null, next: null };
  return { previous: pages[here - 1] ?? null, next: pages[here + 1] ?? null };
}
