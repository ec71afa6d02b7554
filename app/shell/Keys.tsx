// The keys of the page, and the dialog that lists them. Keys without Ctrl can be turned off (WCAG 2.1.4): a voice
// that is typed for the reader must not turn pages.
import { useEffect, useRef, useState } from "react";
import { navigate } from "wouter/use-browser-location";
import type { LessonMeta } from "../book.ts";
import { Icon } from "./Icon.tsx";

const dialogId = "keys";
const key = "workbook.keys";
const apple = /Mac|iPhone|iPad/.test(navigator.platform);
const control = apple ? "⌘" : "Ctrl";

const list: [string[], string][] = [
  [[control, "Enter"], "Run; while it runs, run anew"],
  [[control, "."], "Stop it"],
  [[control, "Shift", "Enter"], "Check it"],
  [["F8"], "Pause the program; go on"],
  [["F9"], "Step: to before or after a call"],
  [["F10"], "To before the next call"],
  [["/"], "Filter the calls, from their list"],
  [["Esc"], "Leave the editor, so that Tab moves on"],
  [["["], "Previous lesson"],
  [["]"], "Next lesson"],
  [["?"], "This list"],
];

export function showKeys(): void {
  (document.getElementById(dialogId) as HTMLDialogElement | null)?.showModal();
}

export function Keys({ here }: { here: LessonMeta | null }) {
  const [single, setSingle] = useState(() => localStorage.getItem(key) !== "off");
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!single || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (writes(event.target) || document.querySelector("dialog:modal")) return;
      if (event.key === "?") showKeys();
      else if (event.key === "[" && here?.previous) navigate(`/${here.previous}`);
      else if (event.key === "]" && here?.next) navigate(`/${here.next}`);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [here, single]);
  return (
    <dialog id={dialogId} className="dialog" aria-labelledby="keys-title" ref={dialog} closedby="any">
      <header>
        <h2 id="keys-title">Keys</h2>
        <button type="button" className="icon" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      <dl className="keys">
        {list.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map(name => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="keys-single">
        <input
          type="checkbox"
          checked={single}
          onChange={event => {
            setSingle(event.target.checked);
            localStorage.setItem(key, event.target.checked ? "on" : "off");
          }}
        />
        Keys without {control} work
      </label>
    </dialog>
  );
}

/** Whether keys typed here are words. A radio button takes no words. */
function writes(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const words = "input:not([type=radio], [type=checkbox]), textarea, select, [role=textbox], .monaco-editor";
  return target.isContentEditable || target.closest(words) !== null;
}
