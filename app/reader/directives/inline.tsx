// Inline directives. Links, system calls, panes and checks inside a sentence.
import type { Element } from "hast";
import type { ComponentProps, ReactNode } from "react";
import { Link } from "wouter";
import { useStore } from "zustand";
import { showPane } from "../../desk.ts";
import { progress } from "../../progress.ts";
import type { PaneName } from "../../workbench/panes.ts";
import { useLesson } from "../here.ts";

interface Node {
  node?: Element;
}

/** A link: inside the book without a new load, to the web in another tab. */
export function Anchor({ node: _, href = "", children, ...props }: ComponentProps<"a"> & Node) {
  if (href.startsWith("/")) {
    return (
      <Link href={href} {...props}>
        {children}
      </Link>
    );
  }
  const outside = /^https?:/.test(href) ? { target: "_blank", rel: "noreferrer" } : {};
  return (
    <a href={href} {...outside} {...props}>
      {children}
    </a>
  );
}

/** The name of a system call: what it does on hover, its man page behind it. */
export function SyscallLink({ name, href, summary }: { name: string; href: string; summary: string }) {
  return (
    <a className="syscall-name" href={href} title={`${name}: ${summary}`} target="_blank" rel="noreferrer">
      <code>{name}</code>
    </a>
  );
}

interface ToPaneProps {
  pane: PaneName;
  check?: string;
  children?: ReactNode;
}

/** Goes to a pane of the workbench. A link and no button: long ones must break over lines like the words around. */
function ToPane({ pane, check, children }: ToPaneProps) {
  return (
    <a
      href={`#${pane.toLowerCase()}`}
      className="word"
      title={check ? "Show this check" : `Show ${pane}`}
      onClick={event => {
        event.preventDefault();
        showPane(pane, check);
      }}
    >
      {children}
    </a>
  );
}

/** The name of a pane: opens it. */
export function PaneLink({ name, children }: { name: PaneName; children?: ReactNode }) {
  if (!useLesson()?.lab) return <em>{children}</em>;
  return <ToPane pane={name}>{children}</ToPane>;
}

/** The title of a check, with what it said last: opens it. */
export function CheckLink({ name, children }: { name: string; children?: ReactNode }) {
  const lesson = useLesson();
  const state = useStore(progress, ({ checks }) => checks[lesson?.id ?? ""]?.[name]?.state);
  return (
    <ToPane pane="Checks" check={name}>
      {state === "passed" && <span className="ready">✓ </span>}
      {state === "failed" && <span className="failed">✕ </span>}
      {children}
    </ToPane>
  );
}

/** A table that is wider than the text scrolls by itself, also with the keyboard. */
export function Table({ node: _, ...props }: ComponentProps<"table"> & Node) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms, and a section would be a landmark each time
    <div className="table" role="group" tabIndex={0} aria-label="Table">
      <table {...props} />
    </div>
  );
}
