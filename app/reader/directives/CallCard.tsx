// Call card. One function of workbook/net: its signature, its arguments, what it returns, when it waits, its errors.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { referenceId } from "../../book.ts";
import { useLesson } from "../here.ts";

interface CardProps {
  name: string;
  anchor: string;
  man?: string;
  href?: string;
  children?: ReactNode;
}

export function CallCard({ name, anchor, man, href, children }: CardProps) {
  const inLesson = useLesson() !== null;
  return (
    <section className="call-card" id={inLesson ? undefined : anchor} aria-label={`The call ${name}`}>
      <header>
        {inLesson ? (
          <Link href={`/${referenceId}#${anchor}`} className="call-name" title="All of workbook/net">
            {name}
          </Link>
        ) : (
          <h3 className="call-name">{name}</h3>
        )}
        {href && (
          <a className="reference man" href={href} target="_blank" rel="noreferrer">
            {man}
          </a>
        )}
      </header>
      {children}
    </section>
  );
}

/** The signatures with their types, and each argument: folded in a lesson, where the short signature is enough at first. */
export function CallDetails({ label, children }: { label: string; children?: ReactNode }) {
  const inLesson = useLesson() !== null;
  return (
    <details className="call-details" open={!inLesson}>
      <summary>{label}</summary>
      <div>{children}</div>
    </details>
  );
}

/** A row of a card, under its label. */
export function CallPart({ label, children }: { label: string; children?: ReactNode }) {
  return (
    <div className="call-part">
      <p className="call-label">{label}</p>
      <div>{children}</div>
    </div>
  );
}

interface ItemProps {
  term: string;
  title?: string;
  anchor?: string;
  children?: ReactNode;
}

/** A name and what it means. */
export function CallItem({ term, title, anchor, children }: ItemProps) {
  return (
    <div className="call-item" id={anchor}>
      <code title={title}>{term}</code>
      <div>{children}</div>
    </div>
  );
}

export function CallNames({ children }: { children?: ReactNode }) {
  return <div className="call-names">{children}</div>;
}
