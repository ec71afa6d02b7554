// Scrolling column. It remembers the scroll position of each page during this visit, and follows the address's fragment.
import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";
import { session } from "../storage.ts";

interface Props {
  /** What is remembered: a lesson's id. */
  place: string;
  /** False until the text is there: a place in it cannot be found before. */
  ready?: boolean;
  children: ReactNode;
}

export function Scroll({ place, ready = true, children }: Props) {
  const column = useRef<HTMLDivElement>(null);
  const key = `workbook.scroll.${place}`;
  useLayoutEffect(() => {
    if (!ready) return;
    const target = pointed();
    if (target) target.scrollIntoView();
    else column.current!.scrollTop = Number(session.get(key) ?? 0);
  }, [key, ready]);
  useEffect(() => {
    const scrolled = column.current!;
    const keep = () => session.set(key, String(Math.round(scrolled.scrollTop)));
    scrolled.addEventListener("scrollend", keep);
    return () => scrolled.removeEventListener("scrollend", keep);
  }, [key]);
  return (
    <div className="scroll" ref={column}>
      {children}
    </div>
  );
}

function pointed(): HTMLElement | null {
  try {
    return document.getElementById(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return null;
  }
}
