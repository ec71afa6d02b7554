// Why a check failed: what is not so, what was sent and what came back, the cause, and how to see it oneself.
import type { Failure } from "../../../server-labs/protocol.ts";
import { CopyLine } from "../CopyLine.tsx";
import { revealLine } from "../view.ts";

/** @param port the lab's port, for commands that name {port} */
export function FailureView({ failure, port }: { failure: Failure; port: number }) {
  const { summary, evidence, expected, actual, because, see, line } = failure;
  return (
    <div className="failure">
      <p className="failure-summary">{summary}</p>
      {evidence.length > 0 && (
        <ol className="failure-evidence" aria-label="What happened">
          {evidence.map((step, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: steps have no other name, and never move.
            <li key={index}>{step}</li>
          ))}
        </ol>
      )}
      {(expected !== undefined || actual !== undefined) && (
        <dl className="failure-compare">
          {expected !== undefined && (
            <div>
              <dt>expected</dt>
              <dd>{expected}</dd>
            </div>
          )}
          {actual !== undefined && (
            <div>
              <dt>got</dt>
              <dd className="failed">{actual}</dd>
            </div>
          )}
        </dl>
      )}
      {because && <p>{because}</p>}
      {line !== undefined && (
        <p>
          <button type="button" className="link" onClick={() => revealLine(line)}>
            Show line {line}
          </button>
        </p>
      )}
      {see && (
        <div className="failure-see">
          <span className="dim">See it again:</span>
          {see
            .split("\n")
            .filter(Boolean)
            .map(command => (
              <CopyLine key={command} text={command.replaceAll("{port}", String(port))} />
            ))}
        </div>
      )}
    </div>
  );
}
