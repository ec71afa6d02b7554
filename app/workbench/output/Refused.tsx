// A run that did not begin: the lab server's sentence, and the one or two things that help.
import type { EventOf } from "../../../server-labs/protocol.ts";
import type { Actions } from "../lab.ts";
import { revealLine } from "../view.ts";

export function Refused({ refused, actions }: { refused: EventOf<"refused">; actions: Actions }) {
  const { holder, freePort, line } = refused;
  return (
    <div className="pane-state" role="status">
      <p className="failed">
        <span aria-hidden="true">✗ </span>
        {refused.sentence}
      </p>
      {line !== undefined && (
        <button type="button" className="button" onClick={() => revealLine(line)}>
          Show line {line}
        </button>
      )}
      {holder && "run" in holder && (
        <button type="button" className="button" onClick={() => actions.run({ instead: holder.run })}>
          Stop it and run
        </button>
      )}
      {freePort !== undefined && (
        <button type="button" className="button" onClick={() => actions.run({ port: freePort })}>
          Run on port {freePort}
        </button>
      )}
    </div>
  );
}
