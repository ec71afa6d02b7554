// Clipboard. A button that copies a text, a command line with such a button, and the hook behind both.
import { type RefObject, useEffect, useRef, useState } from "react";

/** What the last press did: the text is in the clipboard, or the browser forbade that and the text is selected. */
type Outcome = "copied" | "selected" | null;

/** @returns what the last press did, for 1.6 seconds, and a function that copies */
export function useCopy() {
  const [outcome, setOutcome] = useState<Outcome>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), 1600);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async (text: string, shown?: Element | null) => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("copied");
    } catch {
      if (shown) getSelection()?.selectAllChildren(shown);
      setOutcome("selected");
    }
  };
  return { outcome, copy };
}

interface CopyButtonProps {
  text: string;
  /** Names the text: "the command". */
  what: string;
}

/** In the corner of a block of code. */
export function CopyButton({ text, what }: CopyButtonProps) {
  const { outcome, copy } = useCopy();
  const word = outcome === "copied" ? "Copied" : outcome === "selected" ? "Press Ctrl+C" : null;
  return (
    <button
      type="button"
      className="copy"
      aria-label={word ?? `Copy ${what}`}
      onClick={event => void copy(text, event.currentTarget.parentElement?.querySelector("pre"))}
    >
      {word ?? "Copy"}
    </button>
  );
}

/** A command as a student types it. @param quiet smaller, for a bar */
export function CopyLine({ text, quiet = false }: { text: string; quiet?: boolean }) {
  const code: RefObject<HTMLElement | null> = useRef(null);
  const { outcome, copy } = useCopy();
  return (
    <span className={quiet ? "copy-line quiet" : "copy-line"}>
      <code ref={code}>{text}</code>
      <button type="button" onClick={() => void copy(text, code.current)} aria-label={`Copy: ${text}`}>
        {outcome === "copied" ? "copied" : "copy"}
      </button>
    </span>
  );
}
