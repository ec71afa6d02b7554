// Small hooks that the shell and the reader share.
import { useEffect, useReducer, useSyncExternalStore } from "react";
import { onBookChange } from "../book.ts";

export const bookTitle = "The Socket Workbook";

/** Renders again when the book's contents change (in development). */
export function useBook(): void {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => onBookChange(again), []);
}

/** Names the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === bookTitle ? title : `${title} · ${bookTitle}`;
  }, [title]);
}

/** From here on reader and workbench stand side by side; below it the lab is a sheet. */
export const sideBySide = "(min-width: 1100px)";

/** Follows a media query. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    changed => {
      const media = matchMedia(query);
      media.addEventListener("change", changed);
      return () => media.removeEventListener("change", changed);
    },
    () => matchMedia(query).matches,
  );
}
