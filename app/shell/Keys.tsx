// Key sheet. The dialog behind `?`, drawn from keys.ts, and the shortcuts of the page itself.
// Shortcuts without Ctrl can be turned off (WCAG 2.1.4): dictation that types for the reader must not turn pages.
import { useRef, useState } from "react";
import { navigate } from "wouter/use-browser-location";
import { contents, type LessonMeta } from "../book.ts";
import { changeHalf, maximisePane, showPane } from "../desk.ts";
import {
  type KeyId,
  type KeyScope,
  keyCaps,
  keyTable,
  modifierName,
  paneHandlers,
  scopes,
  useKeys,
} from "../keys.ts";
import { type BookPage, neighboursOf } from "../reading-order.ts";
import { local } from "../storage.ts";
import { Icon } from "../ui/Icon.tsx";

const dialogId = "keys";
const storageKey = "workbook.keys";

export function showKeys(): void {
  (document.getElementById(dialogId) as HTMLDialogElement | null)?.showModal();
}

/** @param id the address of the page, without the slash; `here`: the lesson that it shows */
export function Keys({ id, here }: { id: string; here: LessonMeta | null }) {
  const [single, setSingle] = useState(() => local.get(storageKey) !== "off");
  const dialog = useRef<HTMLDialogElement>(null);
  const { previous, next } = neighboursOf(contents(), id);
  const to = (page: BookPage | null) => page && (() => navigate(`/${page.id}`));
  useKeys("page", { previousPage: to(previous), nextPage: to(next), showKeys }, single);
  const hasLab = Boolean(here?.lab);
  useKeys("panes", { ...paneHandlers(showPane), maximise: maximisePane }, single && hasLab);
  useKeys("halves", { changeHalf }, hasLab);
  return (
    <dialog id={dialogId} className="dialog" aria-labelledby="keys-title" ref={dialog} closedby="any">
      <header>
        <h2 id="keys-title">Keys</h2>
        <button type="button" className="icon" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      <div className="keys">
        {(Object.keys(scopes) as KeyScope[]).map(scope => (
          <ScopeRows key={scope} scope={scope} />
        ))}
      </div>
      <label className="keys-single">
        <input
          type="checkbox"
          checked={single}
          onChange={event => {
            setSingle(event.target.checked);
            local.set(storageKey, event.target.checked ? "on" : "off");
          }}
        />
        Keys without {modifierName} work
      </label>
    </dialog>
  );
}

function ScopeRows({ scope }: { scope: KeyScope }) {
  const ids = (Object.keys(keyTable) as KeyId[]).filter(id => keyTable[id].scope === scope);
  return (
    <section aria-labelledby={`keys-${scope}`}>
      <h3 id={`keys-${scope}`}>{scopes[scope]}</h3>
      <dl>
        {ids.map(id => (
          <div key={id}>
            <dt>
              <Caps id={id} />
            </dt>
            <dd>{keyTable[id].does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Caps({ id }: { id: KeyId }) {
  return keyCaps(id).map((press, index) => (
    <span key={press.join()}>
      {index > 0 && " then "}
      {press.map(cap => (
        <kbd key={cap}>{cap}</kbd>
      ))}
    </span>
  ));
}
