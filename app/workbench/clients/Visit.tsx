// One visit as a row that unfolds: what it is, how it stands, and then step by step, with the same for a shell.
import { useState } from "react";
import type { Calls, RunView, VisitView } from "../../labs.ts";
import { CopyLine } from "../CopyLine.tsx";
import type { Connections } from "./connections.ts";
import { Timeline } from "./Timeline.tsx";

interface Props {
  visit: VisitView;
  program: RunView;
  /** It is unfolded until the reader says otherwise. */
  newest: boolean;
  calls: Calls;
  connections: Connections;
  onLeave(): void;
}

export function Visit({ visit, program, newest, calls, connections, onLeave }: Props) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? newest;
  const { sign, colour, word } = stateOf(visit);
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
          <span className="visit-title">{visit.title.replace(/ → port \d+$/, "")}</span>
          <span className={`visit-state ${colour}`}>{visit.sentence}</span>
        </summary>
        {open && (
          <div className="visit-body">
            {visit.command && (
              <p className="visit-shell">
                <span className="dim">From a shell</span>
                <CopyLine quiet text={visit.command} />
              </p>
            )}
            <Timeline {...{ visit, program, calls, connections }} />
          </div>
        )}
      </details>
      {visit.open && (
        <button
          type="button"
          className="button small visit-leave"
          onClick={onLeave}
          aria-label={`Leave: ${visit.title}`}
        >
          Leave
        </button>
      )}
    </li>
  );
}

/** Told by a sign, its colour, and a word. */
function stateOf(visit: VisitView): { sign: string; colour: string; word: string } {
  const had = (...whats: string[]) => visit.steps.some(({ what }) => whats.includes(what));
  if (visit.open) return { sign: "~", colour: "waiting", word: "waits" };
  if (had("refused", "reset")) return { sign: "✗", colour: "failed", word: "failed" };
  if (had("got")) return { sign: "✓", colour: "ready", word: "answered" };
  return { sign: "○", colour: "dim", word: "ended" };
}
