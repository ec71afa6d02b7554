// Check failure. What is wrong, what was sent and received, the cause, and a command that shows it again.
import { type Failure, visible } from "../../../../server-labs/protocol.ts";
import { CopyLine } from "../../../ui/Copy.tsx";
import { placeOf, revealCall } from "../../view.ts";

interface Props {
  failure: Failure;
  /** The port that the failure's command names. */
  labPort: number;
  /** The program's: where it runs on another port, the command must ask there. */
  port: number;
  /** What must be pressed before a command shows the failure again; null: nothing. */
  before(command: string): string | null;
}

export function FailureView({ failure, labPort, port, before }: Props) {
  const { summary, evidence, expected, actual, because, see, line, file } = failure;
  const command = see && withPort(see, labPort, port);
  const first = command ? before(command) : null;
  return (
    <div className="failure">
      <p className="failure-summary">{visible(summary)}</p>
      {evidence.length > 0 && (
        <ol className="failure-evidence" aria-label="What happened">
          {evidence.map((step, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: steps have no other name, and never move.
            <li key={index}>{visible(step, "\n")}</li>
          ))}
        </ol>
      )}
      {(expected !== undefined || actual !== undefined) && (
        <dl className="failure-compare">
          {expected !== undefined && (
            <div>
              <dt>expected</dt>
              <dd>{visible(expected, "\n")}</dd>
            </div>
          )}
          {actual !== undefined && (
            <div>
              <dt>got</dt>
              <dd className="failed">{visible(actual, "\n")}</dd>
            </div>
          )}
        </dl>
      )}
      {because && <p>{visible(because, "\n")}</p>}
      {line !== undefined && (
        <p>
          <button type="button" className="link" onClick={() => revealCall({ line, file })}>
            Show {placeOf({ line, file })}
          </button>
        </p>
      )}
      {command && (
        <div className="failure-see">
          <span className="dim">See it again:</span>
          {first && <p>{first}</p>}
          {command
            .split("\n")
            .filter(Boolean)
            .map(line => (
              <CopyLine key={line} text={visible(line)} />
            ))}
        </div>
      )}
    </div>
  );
}

const withPort = (command: string, from: number, to: number) =>
  command.replace(new RegExp(`\\b${from}\\b`, "g"), String(to));
