// Refused run. Why it did not start, and the buttons that help.
import { type EventOf, sentence } from "../../../../server-labs/protocol.ts";
import type { Actions } from "../../lab.ts";
import { revealLine } from "../../view.ts";

export function RefusedRun({ refused, actions }: { refused: EventOf<"refused">; actions: Actions }) {
  const { statement } = refused;
  const place = "line" in statement ? statement : null;
  const freePort = "freePort" in statement ? statement.freePort : null;
  const ours = statement.code === "port-held-by-run" ? statement.holder : null;
  return (
    <div className="pane-state" role="status">
      <p className="failed">
        <span aria-hidden="true">✗ </span>
        {sentence(statement)}
      </p>
      {place && (
        <button type="button" className="button" onClick={() => revealLine(place.line, { file: place.file })}>
          Show line {place.line}
        </button>
      )}
      {ours && (
        <button type="button" className="button" onClick={() => actions.run({ instead: ours.run })}>
          Stop it and run
        </button>
      )}
      {freePort !== null && (
        <button type="button" className="button" onClick={() => actions.run({ port: freePort })}>
          Run on port {freePort}
        </button>
      )}
    </div>
  );
}
