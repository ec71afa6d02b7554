// Term. A word of the glossary: what it means on hover and focus, its place in the glossary behind it.
import { type ReactNode, useId, useRef } from "react";
import { Link } from "wouter";

interface Props {
  term: string;
  zh: string;
  meaning: string;
  href: string;
  children?: ReactNode;
}

export function TermLink({ term, zh, meaning, href, children }: Props) {
  const id = useId();
  const word = useRef<HTMLSpanElement>(null);
  const card = useRef<HTMLSpanElement>(null);
  const show = () => {
    const popover = card.current!;
    if (popover.matches(":popover-open")) return;
    popover.showPopover();
    const { left, top, bottom } = word.current!.getClientRects()[0]!;
    const { width, height } = popover.getBoundingClientRect();
    // Below the word, or above it where there is no room; without a gap, so that the pointer can go to the card.
    popover.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    popover.style.top = `${bottom + height < innerHeight ? bottom : top - height}px`;
  };
  const hide = () => card.current?.hidePopover();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the link inside does the same with the keyboard
    <span ref={word} onMouseEnter={show} onMouseLeave={hide}>
      <Link href={href} className="term" aria-describedby={id} onFocus={show} onBlur={hide}>
        {children}
      </Link>
      <span ref={card} id={id} popover="auto" role="tooltip" className="term-card">
        <span className="term-head">
          <strong>{term}</strong> <span lang="zh">{zh}</span>
        </span>
        <span>{meaning}</span>
      </span>
    </span>
  );
}

/** The terms of a glossary. */
export function TermList({ children }: { children?: ReactNode }) {
  return <dl className="terms">{children}</dl>;
}

interface EntryProps {
  term: string;
  zh: string;
  anchor: string;
  children?: ReactNode;
}

export function TermEntry({ term, zh, anchor, children }: EntryProps) {
  return (
    <div className="term-entry" id={anchor}>
      <dt>
        {term} <span lang="zh">{zh}</span>
      </dt>
      <dd>{children}</dd>
    </div>
  );
}
