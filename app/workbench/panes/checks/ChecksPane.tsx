// Checks pane. Each check is a sentence that is true or false of the running server, with its evidence.
import { sentence } from "../../../../server-labs/protocol.ts";
import { keyNames } from "../../../keys.ts";
import { type CheckView, summaryOf } from "../../../labs.ts";
import type { PaneProps } from "../../pane.ts";
import { beforeCommand, type Texts } from "./before-command.ts";
import { CheckItem } from "./CheckItem.tsx";

export default function ChecksPane({ lab, program, check: run, results, actions, renderHint }: PaneProps) {
  const running = run?.live ?? false;
  const untouched = !running && [...results.values()].every(({ state }) => state === "not run");
  const firstFailed = lab.checks.find(({ id }) => results.get(id)?.state === "failed")?.id;
  // The commands of a failure are for the student's program, where it is.
  const port = program && !program.refused ? program.port : lab.port;
  const checkedIn = (result: CheckView): Texts => ({
    etag: result.etag,
    modules: (result.event?.run === run?.run ? run?.modules : program?.modules) ?? {},
  });
  const old = !running && [...results.values()].some(result => result.old);
  return (
    <div className="checks">
      <div className="checks-head">
        <p role="status">
          <b>{summaryOf(results, running)}</b>
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
          ✗ {sentence(run.refused.statement)}
        </p>
      )}
      {run && !running && run.exited && (run.exited.stopped || run.exited.signal) && (
        <p className="checks-word dim" role="status">
          {run.exited.stopped
            ? "The checker was stopped before it had finished."
            : `The checker had not finished: ${sentence(run.exited.statement)}.`}
        </p>
      )}
      <ol>
        {lab.checks.map(check => (
          <CheckItem
            key={check.id}
            lab={lab}
            check={check}
            result={results.get(check.id)!}
            unfolded={check.id === firstFailed}
            port={port}
            before={see => beforeCommand(see, { program, port, checked: checkedIn(results.get(check.id)!) })}
            busy={running}
            onRun={() => actions.check([check.id])}
            renderHint={renderHint}
          />
        ))}
      </ol>
    </div>
  );
}
