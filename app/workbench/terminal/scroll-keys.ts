// Scroll keys. The terminal is read only: its keys scroll, and every other key, Tab first of all, is the page's.
import type { Terminal } from "@xterm/xterm";
import { keyOf } from "../../keys.ts";

/** A handler for xterm. @returns false always: xterm itself handles no key */
export function scrollByKey(terminal: Terminal, event: KeyboardEvent): false {
  const key = event.type === "keydown" ? keyOf("output", event) : null;
  if (key === null) return false;
  event.preventDefault();
  const page = terminal.rows - 1;
  const scroll: Record<typeof key, () => void> = {
    lineUp: () => terminal.scrollLines(-1),
    lineDown: () => terminal.scrollLines(1),
    pageUp: () => terminal.scrollLines(-page),
    pageDown: () => terminal.scrollLines(page),
    toStart: () => terminal.scrollToTop(),
    toEnd: () => terminal.scrollToBottom(),
  };
  scroll[key]();
  return false;
}
