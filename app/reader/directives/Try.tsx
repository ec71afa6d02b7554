// Asides. Commands to try in a shell, what comes out of them, the recap, and notes in the margin.
import type { ReactNode } from "react";
import { CopyButton } from "../../ui/Copy.tsx";

export function Try({ children }: { children?: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms, and a section would be a landmark each time
    <div className="try" role="group" aria-label="Try it">
      <p className="try-title" aria-hidden="true">
        Try it
      </p>
      {children}
    </div>
  );
}

/** Lines for a shell. `command` is what is copied: without prompt, without colours. */
export function ShellCommand({ command, children }: { command: string; children?: ReactNode }) {
  return (
    <div className="command">
      {children}
      <CopyButton text={command} what="the command" />
    </div>
  );
}

/** What the author saw. It is folded, so that the reader looks at their own run first. */
export function Saw({ children }: { children?: ReactNode }) {
  return (
    <details className="saw">
      <summary>Show what I saw</summary>
      {children}
    </details>
  );
}

/** The end of a lesson in a few lines. */
export function Recap({ children }: { children?: ReactNode }) {
  return (
    <section className="recap" aria-label="Recap">
      <p className="try-title" aria-hidden="true">
        Recap
      </p>
      {children}
    </section>
  );
}

export function Aside({ children }: { children?: ReactNode }) {
  return <aside className="aside">{children}</aside>;
}
