// Check. Its sentence, and its state in words. The first failed check opens by itself and shows why.
import type { Root } from "hast";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { visible } from "../../../../server-labs/protocol.ts";
import type { CheckView } from "../../../labs.ts";
import { roundedDuration } from "../../format.ts";
import type { WorkbenchLab } from "../../lab.ts";
import { view } from "../../view.ts";
import { FailureView } from "./Failure.tsx";
import { HintLadder } from "./HintLadder.tsx";

interface Props {
  lab: WorkbenchLab;
  check: { id: string; title: string };
  result: CheckView;
  /** It opens by itself. */
  unfolded: boolean;
  /** The port of the program, for commands that name {port}. */
  port: number;
  /** What must be pressed before a command shows the failure again; null: nothing. */
  before(command: string): string | null;
  /** A check run is under way. */
  busy: boolean;
  onRun(): void;
  renderHint(hint: Root): ReactNode;
}

const words: Record<CheckView["state"], { sign: string; word: string; colour: string }> = {
  "not run": { sign: "○", word: "not run", colour: "dim" },
  waiting: { sign: "○", word: "waiting", colour: "dim" },
  running: { sign: "◐", word: "running", colour: "waiting" },
  passed: { sign: "✓", word: "passed", colour: "ready" },
  failed: { sign: "✗", word: "failed", colour: "failed" },
  unjudged: { sign: "–", word: "not judged", colour: "waiting" },
  unobserved: { sign: "–", word: "could not be observed", colour: "waiting" },
};

export function CheckItem({ lab, check, result, unfolded, port, before, busy, onRun, renderHint }: Props) {
  const { sign, word, colour } = words[result.state];
  const { failure, note, took } = result.event ?? {};
  const details = useRef<HTMLDetailsElement>(null);
  const [open, setOpen] = useState(unfolded);
  // What the reader has opened stays open until it passes.
  useEffect(() => {
    setOpen(open => unfolded || (open && result.state !== "passed"));
  }, [unfolded, result.state]);

  const asked = useStore(view, state => state.check);
  useEffect(() => {
    if (asked?.id !== check.id) return;
    setOpen(true);
    if (details.current) details.current.open = true; // its height is what it is brought into view by
    details.current?.scrollIntoView({ block: "start" });
    details.current?.querySelector("summary")?.focus({ preventScroll: true });
  }, [asked, check.id]);

  return (
    <li className={result.old ? "check old" : "check"} data-check={check.id} data-state={result.state}>
      <details ref={details} open={open} onToggle={event => setOpen(event.currentTarget.open)}>
        <summary>
          <span className={`check-sign ${colour}`} aria-hidden="true">
            {sign}
          </span>
          <span className="check-title">{check.title}</span>
          <span className={`check-state ${colour}`}>{word}</span>
          {took !== undefined && <span className="check-took">{roundedDuration(took)}</span>}
        </summary>
        <div className="check-body">
          {failure && <FailureView failure={failure} labPort={lab.port} port={port} before={before} />}
          {note && <p>{visible(note)}</p>}
          {result.event === null && result.state !== "not run" && (
            <p className="dim">
              This result is older than this page. Run the check again to see its evidence.
            </p>
          )}
          <HintLadder
            lab={lab.id}
            check={check.id}
            hints={lab.hints[check.id] ?? []}
            renderHint={renderHint}
          />
          <button type="button" className="button small" disabled={busy} onClick={onRun}>
            Run only this check
          </button>
        </div>
      </details>
    </li>
  );
}
