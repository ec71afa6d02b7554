// The keys of a terminal that is only read: they scroll it. Everything else, Tab first of all, is the page's.
import type { Terminal } from "@xterm/xterm";

/** @returns false always: xterm itself handles no key. */
export function scrollByKey(terminal: Terminal, event: KeyboardEvent): boolean {
  if (event.type !== "keydown" || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (scroll(terminal, event.key)) event.preventDefault();
  return false;
}

function scroll(terminal: Terminal, key: string): boolean {
  const lines: Record<string, number> = {
    ArrowUp: -1,
    ArrowDown: 1,
    PageUp: 1 - terminal.rows,
    PageDown: terminal.rows - 1,
  };
  if (key === "Home") terminal.scrollToTop();
  else if (key === "End") terminal.scrollToBottom();
  else if (lines[key]) terminal.scrollLines(lines[key]);
  else return false;
  return true;
}
