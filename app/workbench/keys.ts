// The keys of the workbench, from anywhere on the page: run, stop, check. They are heard before anybody else, so
// that neither Monaco nor a button takes Ctrl+Enter for something of its own.
import { useEffect } from "react";
import type { Actions } from "./lab.ts";

const apple = /Mac|iPhone|iPad/.test(navigator.platform);

/** How the keys are written on this machine. */
export const keyNames = apple
  ? { run: "⌘⏎", stop: "⌘.", check: "⌘⇧⏎" }
  : { run: "Ctrl+⏎", stop: "Ctrl+.", check: "Ctrl+⇧⏎" };

/**
 * Binds Ctrl/Cmd+Enter, Ctrl/Cmd+. and Ctrl/Cmd+Shift+Enter while the workbench is on the page.
 * @param live a program runs: until then Ctrl+. is the editor's, for its quick fixes
 */
export function useKeys(actions: Actions, live: boolean): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
      const run = event.shiftKey ? actions.check : actions.run;
      const act = event.key === "Enter" ? run : event.key === "." && live ? actions.stop : null;
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      // A key held down is one wish.
      if (!event.repeat) act();
    };
    window.addEventListener("keydown", listen, { capture: true });
    return () => window.removeEventListener("keydown", listen, { capture: true });
  }, [actions, live]);
}
