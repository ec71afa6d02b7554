// A button that copies a text, and says that it did.
import { useEffect, useState } from "react";

interface Props {
  text: string;
  /** What is copied: "the command". */
  what: string;
}

export function Copy({ text, what }: Props) {
  const [said, setSaid] = useState<"Copied" | "Press Ctrl+C" | null>(null);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(null), 1600);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <button
      type="button"
      className="copy"
      aria-label={said ?? `Copy ${what}`}
      onClick={event => {
        const block = event.currentTarget.parentElement?.querySelector("pre") ?? null;
        void copy(text, block).then(done => setSaid(done ? "Copied" : "Press Ctrl+C"));
      }}
    >
      {said ?? "Copy"}
    </button>
  );
}

/** Copies; where the browser forbids it, selects the text for the reader to copy. */
async function copy(text: string, block: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (block) getSelection()?.selectAllChildren(block);
    return false;
  }
}
