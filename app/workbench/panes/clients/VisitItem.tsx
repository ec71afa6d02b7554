// Visit item. One visit as a row that unfolds: its aim, its state, and then step by step, with the same for a shell.
import { useState } from "react";
import { sentence } from "../../../../server-labs/protocol.ts";
import type { CallList, RunView, VisitView } from "../../../labs.ts";
import { CopyLine } from "../../../ui/Copy.tsx";
import type { ClientConnections } from "./connections.ts";
import { Timeline } from "./Timeline.tsx";
import { presentState, shownAim, visitSign } from "./visit-words.ts";

interface Props {
  visit: VisitView;
  program: RunView;
  /** It is unfolded until the reader folds it. */
  newest: boolean;
  calls: CallList;
  connections: ClientConnections;
  onLeave(): void;
}

export function VisitItem({ visit, program, newest, calls, connections, onLeave }: Props) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? newest;
  const { sign, colour, word } = visitSign(visit);
  const title = sentence(shownAim(visit));
  return (
    <li className="visit" data-visit={visit.visit} data-open={visit.open}>
      <details open={open}>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: a summary is a button. */}
        <summary
          onClick={event => {
            event.preventDefault();
            setChosen(!open);
          }}
        >
          <span className={`check-sign ${colour}`} title={word}>
            {sign}
          </span>
          <span className="visit-title">{title}</span>
          <span className={`visit-state ${colour}`}>{sentence(presentState(visit))}</span>
        </summary>
        {open && (
          <div className="visit-body">
            {visit.command && (
              <p className="visit-shell">
                <span className="dim">From a shell</span>
                <CopyLine quiet text={visit.command} />
              </p>
            )}
            <Timeline {...{ visit, program, calls }} connections={connections.since(beganAt(visit))} />
          </div>
        )}
      </details>
      {visit.open && (
        <button
          type="button"
          className="button small visit-leave"
          onClick={onLeave}
          aria-label={`Leave: ${title}`}
        >
          Leave
        </button>
      )}
    </li>
  );
}

/** When it began, in milliseconds of the run; null where its first step is no longer known. */
function beganAt({ steps: [first] }: VisitView): number | null {
  return first?.what === "begins" ? first.when : null;
}
