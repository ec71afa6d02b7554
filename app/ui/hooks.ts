// Hooks. The title, media queries and first paint, for the shell and the reader.
import { useEffect, useReducer, useRef, useState, useSyncExternalStore } from "react";
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

/** True once the browser has had time to paint what was rendered: Monaco must not come before the prose. */
export function usePainted(): boolean {
  const [painted, setPainted] = useState(false);
  useEffect(() => {
    // Two frames: the first callback comes before the paint of what was just rendered.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => setPainted(true));
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return painted;
}

/** Milliseconds for which something that the reader asked for is outlined. */
const momentMs = 1200;

/** True for a moment after the value has become another one. */
export function useMoment(value: unknown): boolean {
  const [moment, setMoment] = useState<unknown>(null);
  const seen = useRef(value);
  useEffect(() => {
    if (value === seen.current) return;
    seen.current = value;
    setMoment(value);
    const timer = setTimeout(() => setMoment(null), momentMs);
    return () => clearTimeout(timer);
  }, [value]);
  return moment !== null && moment === value;
}
