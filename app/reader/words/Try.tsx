// What is beside the main text: things to do in a shell, and notes in the margin.
import type { ReactNode } from "react";
import { Copy } from "./Copy.tsx";

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
export function Command({ command, children }: { command: string; children?: ReactNode }) {
  return (
    <div className="command">
      {children}
      <Copy text={command} what="the command" />
    </div>
  );
}

export function Aside({ children }: { children?: ReactNode }) {
  return <aside className="aside">{children}</aside>;
}
