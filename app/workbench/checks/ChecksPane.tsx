// The checks of a lab, each a sentence that is true or false of the running server, with its evidence.
import type { Root } from "hast";
import type { ReactNode } from "react";
import type { RunView } from "../../labs.ts";
import { keyNames } from "../keys.ts";
import type { Actions, WorkbenchLab } from "../lab.ts";
import { Check } from "./Check.tsx";
import { type Result, summary } from "./results.ts";

interface Props {
  lab: WorkbenchLab;
  run: RunView | null;
  results: Map<string, Result>;
  actions: Actions;
  renderHint(hint: Root): ReactNode;
}

export function ChecksPane({ lab, run, results, actions, renderHint }: Props) {
  const running = run?.live ?? false;
  const untouched = !running && [...results.values()].every(({ state }) => state === "not run");
  const old = !running && [...results.values()].some(result => result.old);
  return (
    <div className="checks">
      <div className="checks-head">
        <p role="status">
          <b>{summary(results, running)}</b>
          {old && <span className="dim"> · the text has changed since</span>}
          {untouched && (
            <span className="dim">
              {" "}
              Press <kbd>{keyNames.check}</kbd>: real clients will attack your server.
            </span>
          )}
        </p>
        {running && (
          <button type="button" className="button small" onClick={actions.stopCheck}>
            Stop checking
          </button>
        )}
      </div>
      {run?.refused && (
        <p className="checks-word failed" role="status">
          ✗ {run.refused.sentence}
        </p>
      )}
      {run && !running && run.exited && (run.exited.stopped || run.exited.signal) && (
        <p className="checks-word dim" role="status">
          The checker {run.exited.stopped ? "was stopped" : run.exited.sentence} before it had finished.
        </p>
      )}
      <ol>
        {lab.checks.map(check => (
          <Check
            key={check.id}
            lab={lab}
            check={check}
            result={results.get(check.id)!}
            busy={running}
            onRun={() => actions.check([check.id])}
            renderHint={renderHint}
          />
        ))}
      </ol>
    </div>
  );
}
