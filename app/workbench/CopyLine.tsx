// A command as one would type it, with a button that copies it. The only way here to bring something to a shell.
import { useRef, useState } from "react";

/** @param text the line; @param quiet smaller, for a bar */
export function CopyLine({ text, quiet = false }: { text: string; quiet?: boolean }) {
  const code = useRef<HTMLElement>(null);
  const { copied, copy } = useCopy();
  return (
    <span className={quiet ? "copy-line quiet" : "copy-line"}>
      <code ref={code}>{text}</code>
      <button type="button" onClick={() => void copy(text, code.current)} aria-label={`Copy: ${text}`}>
        {copied ? "copied" : "copy"}
      </button>
    </span>
  );
}

/** Copying, and whether it was just done. */
export function useCopy() {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const copy = async (text: string, otherwise?: HTMLElement | null) => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setCopied(false), 1500);
    } catch {
      // No permission: the words are selected, so that the reader's own Ctrl+C does it.
      if (otherwise) getSelection()?.selectAllChildren(otherwise);
    }
  };
  return { copied, copy };
}
