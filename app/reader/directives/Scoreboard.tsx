// Scoreboard. A table of what the lab's checks say of the reader's server and of its rivals. The lab server makes it when the
// reader asks, one server after another; the last one is kept in this browser.
import { type ReactNode, useEffect, useMemo } from "react";
import { useStore } from "zustand";
import {
  type CellState,
  cellWords,
  missingWords,
  type Scores,
  type ScoreTable,
  scoreTable,
  sentence,
  totalWords,
  visible,
} from "../../../server-labs/protocol.ts";
import type { LessonMeta } from "../../book.ts";
import { labs } from "../../labs.ts";
import { progress } from "../../progress.ts";
import { useLesson } from "../here.ts";

export function ScoreboardFigure({ children }: { children?: ReactNode }) {
  const lesson = useLesson();
  return lesson?.lab ? <Board lesson={lesson}>{children}</Board> : null;
}

const noChecks: NonNullable<LessonMeta["lab"]>["checks"] = [];
const colours: Partial<Record<CellState, string>> = {
  passed: "ready",
  failed: "failed",
  unjudged: "waiting",
  unobserved: "waiting",
};

function Board({ lesson, children }: { lesson: LessonMeta; children?: ReactNode }) {
  const checks = lesson.lab?.checks ?? noChecks;
  const { scores, live, run, began, words } = useScores(lesson.id);
  const table = useMemo(() => scores && scoreTable(checks, scores, live), [checks, scores, live]);
  const stop = () => run !== null && labs.stop(run);
  const start = () => labs.check(lesson.id, { scoreboard: true });
  return (
    <figure className="figure scoreboard">
      <div className="measure-bar">
        <button type="button" className="button" onClick={live ? stop : start}>
          {live ? "Stop" : table ? "Compare again" : "Compare the servers"}
        </button>
        <span className="dim" role="status">
          {words || (live && table ? progressWords(table) : began > 0 && madeWords(began))}
        </span>
      </div>
      {table && <Results table={table} />}
      {table && !live && table.servers.map(({ id }, column) => <Reasons key={id} {...{ table, column }} />)}
      <figcaption>{children}</figcaption>
    </figure>
  );
}

const unfinished = "It ended before all checks were made.";

/** The scoreboard of the newest check run, or the one that this browser keeps. */
function useScores(lesson: string) {
  useEffect(() => labs.watch(lesson), [lesson]);
  const view = useStore(labs.store, state => state.labs[lesson]);
  const kept = useStore(progress, state => state.scores[lesson]);
  const newest = view?.check?.scores ? view.check : null;
  const scores: Scores | null = newest?.scores ?? kept ?? null;
  const live = newest?.live ?? false;
  const words =
    view?.problem ||
    (view?.check?.refused && sentence(view.check.refused.statement)) ||
    (newest?.exited && newest.exited.statement.code !== "checks-made" && unfinished) ||
    "";
  return { scores, live, run: newest?.run ?? null, began: newest?.began ?? kept?.began ?? 0, words };
}

/** "nginx: 12 of 27 checks made" */
function progressWords({ servers, totals }: ScoreTable): string {
  const column = totals.findIndex(total => total !== null && total.open > 0);
  const total = totals[column];
  if (!total) return "";
  const made = total.passed + total.failed + total.unjudged;
  return `${visible(servers[column]!.name)}: ${made} of ${made + total.open} checks made`;
}

const madeWords = (began: number) =>
  `Made on ${new Date(began).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}, of server.ts as it was then.`;

function Results({ table: { servers, groups, totals } }: { table: ScoreTable }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms, and a section would be a landmark each time
    <div className="table" role="group" tabIndex={0} aria-label="Scoreboard">
      <table>
        <caption className="sr">Each check of this lab, and what came out for each server</caption>
        <thead>
          <tr>
            <th scope="col">check</th>
            {servers.map(({ id, name, missing }) => (
              <th key={id} scope="col">
                {visible(name)}
                {missing && <span className="scoreboard-missing">{visible(missingWords(missing))}</span>}
              </th>
            ))}
          </tr>
        </thead>
        {groups.map(({ title, rows }) => (
          <tbody key={title ?? rows[0]?.check.id}>
            {title !== null && (
              <tr>
                <th className="scoreboard-group" colSpan={servers.length + 1} scope="rowgroup">
                  <span>{title}</span>
                </th>
              </tr>
            )}
            {rows.map(({ check, cells }) => (
              <tr key={check.id} data-check={check.id}>
                <th scope="row">{check.title}</th>
                {cells.map(({ state }, column) => (
                  <td key={servers[column]!.id} className={colours[state] ?? "dim"} data-state={state}>
                    <span aria-hidden="true">{cellWords[state].sign}</span> {cellWords[state].word}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
        <tfoot>
          {(["passed", "failed", "unjudged"] as const).map(kind => (
            <tr key={kind}>
              <th scope="row">{cellWords[kind].word}</th>
              {totals.map((total, column) => (
                <td key={servers[column]!.id}>{total ? total[kind] : "–"}</td>
              ))}
            </tr>
          ))}
        </tfoot>
      </table>
    </div>
  );
}

/** What one server did not pass, and why; nothing for a server that passed all. */
function Reasons({ table, column }: { table: ScoreTable; column: number }) {
  const { name, missing } = table.servers[column]!;
  const total = table.totals[column];
  const rows = table.groups
    .flatMap(group => group.rows)
    .map(({ check, cells }) => ({ check, ...cells[column]! }))
    .filter(({ state, why }) => why !== null && state !== "passed");
  if (missing || !total || rows.length === 0) return null;
  return (
    <details className="saw">
      <summary>
        {visible(name)}: {totalWords(total)}
      </summary>
      <dl className="scoreboard-reasons">
        {rows.map(({ check, state, why }) => (
          <div key={check.id}>
            <dt>
              {check.title} <span className={colours[state]}>{cellWords[state].word}</span>
            </dt>
            <dd>{visible(why!)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
