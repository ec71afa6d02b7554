// One check: its sentence and its state in words. A failed one opens by itself and shows why.
import type { Root } from "hast";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { WorkbenchLab } from "../lab.ts";
import { view } from "../view.ts";
import { duration } from "../words.ts";
import { FailureView } from "./Failure.tsx";
import { Hints } from "./Hints.tsx";
import type { Result } from "./results.ts";

interface Props {
  lab: WorkbenchLab;
  check: { id: string; title: string };
  result: Result;
  /** A check run is under way. */
  busy: boolean;
  onRun(): void;
  renderHint(hint: Root): ReactNode;
}

const words: Record<Result["state"], { sign: string; word: string; colour: string }> = {
  "not run": { sign: "○", word: "not run", colour: "dim" },
  waiting: { sign: "○", word: "waiting", colour: "dim" },
  running: { sign: "◐", word: "running", colour: "waiting" },
  passed: { sign: "✓", word: "passed", colour: "ready" },
  failed: { sign: "✗", word: "failed", colour: "failed" },
  unobserved: { sign: "–", word: "could not be observed", colour: "waiting" },
};

export function Check({ lab, check, result, busy, onRun, renderHint }: Props) {
  const { sign, word, colour } = words[result.state];
  const { failure, note, took } = result.event ?? {};
  const details = useRef<HTMLDetailsElement>(null);
  const [open, setOpen] = useState(result.state === "failed");
  useEffect(() => setOpen(result.state === "failed"), [result.state]);

  const asked = useStore(view, state => state.check);
  useEffect(() => {
    if (asked?.id !== check.id) return;
    setOpen(true);
    details.current?.scrollIntoView({ block: "nearest" });
    details.current?.querySelector("summary")?.focus();
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
          {took !== undefined && <span className="check-took">{duration(took)}</span>}
        </summary>
        <div className="check-body">
          {failure && <FailureView failure={failure} port={lab.port} />}
          {note && <p>{note}</p>}
          <Hints lab={lab.id} check={check.id} hints={lab.hints[check.id] ?? []} renderHint={renderHint} />
          <button type="button" className="button small" disabled={busy} onClick={onRun}>
            Run only this check
          </button>
        </div>
      </details>
    </li>
  );
}
