// Task warnings. What is wrong with a task, in words: one line for each kind of warning of each task, the newest first.
import { count, sentence, type TaskSample, type TaskWarning } from "../../../../server-labs/protocol.ts";

/** More lines than this are counted. */
const mostLines = 6;

export function Warnings({ sample: { warnings, warned } }: { sample: TaskSample }) {
  if (warned === 0) return null;
  const newest = new Map<string, TaskWarning & { times: number }>();
  for (const warning of warnings) {
    const key = `${warning.statement.code} ${warning.task}`;
    newest.set(key, { ...warning, times: (newest.get(key)?.times ?? 0) + 1 });
  }
  const lines = [...newest].sort(([, a], [, b]) => b.at - a.at).slice(0, mostLines);
  const shown = lines.reduce((sum, [, { times }]) => sum + times, 0);
  return (
    <ul className="tasks-warnings" aria-label="Warnings">
      {lines.map(([key, { at, statement, times }]) => (
        <li key={key}>
          <b aria-hidden="true">!</b>
          <span>
            {sentence(statement)}
            <span className="dim">
              {" "}
              {times > 1 && `${times} times, the newest `}at {(at / 1000).toFixed(3)}
            </span>
          </span>
        </li>
      ))}
      {warned > shown && <li className="dim">and {count(warned - shown, "warning")} before</li>}
    </ul>
  );
}
