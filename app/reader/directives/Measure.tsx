// Measurement. A chart of what a wake-up costs by the number of descriptors: the book's points, and over them those that a
// program of the lab measures on the reader's machine when the reader asks for it.
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import {
  type Axes,
  axesOf,
  type CostRow,
  costRowsIn,
  formatMicroseconds,
  onAxis,
  ticksOf,
} from "../../cost-points.ts";
import { labs } from "../../labs.ts";
import { useLesson } from "../here.ts";

interface Props {
  /** The file of the lab that measures. */
  program: string;
  /** The book's rows, as the program has printed them. */
  points: string;
  children?: ReactNode;
}

const titles: Record<string, string> = { one: "one is ready", all: "all are ready" };
/** A measurement prints a few lines; of a program that floods only so many bytes are read. */
const mostText = 16 * 1024;
/** Lines are told apart by their dashes: colours have a meaning of their own. */
const dashes: Record<string, string> = { sweep: "2 4", poll: "7 4" };

export function Measure({ program, points, children }: Props) {
  const lesson = useLesson()?.id ?? "";
  const book = useMemo(() => costRowsIn(points), [points]);
  const { rows, live, words, run } = useOwnRows(lesson, program);
  const axes = axesOf([...book, ...rows]);
  const panels = [...new Set(book.map(row => row.ready))];
  const stop = () => run !== null && labs.stop(run);
  const start = () => labs.run(lesson, { file: program, args: ["--json"] });
  return (
    <figure className="figure measure">
      <div className="measure-panels">
        {panels.map(ready => (
          <Panel
            key={ready}
            title={titles[ready] ?? ready}
            axes={axes}
            book={book.filter(row => row.ready === ready)}
            own={rows.filter(row => row.ready === ready)}
          />
        ))}
      </div>
      <div className="measure-bar">
        <button type="button" className="button" onClick={live ? stop : start}>
          {live ? "Stop" : rows.length > 0 ? "Measure again" : "Measure on this machine"}
        </button>
        <span className="dim" role="status">
          {words || "Lines: the book’s machine. Your points come over them."}
        </span>
      </div>
      <figcaption>{children}</figcaption>
      <details className="saw">
        <summary>Show the numbers</summary>
        <Numbers book={book} own={rows} />
      </details>
    </figure>
  );
}

/** The rows of the newest run of the program; they stay when another program runs. */
function useOwnRows(lesson: string, program: string) {
  const [rows, setRows] = useState<CostRow[]>([]);
  const view = useStore(labs.store, state => state.labs[lesson]);
  const newest = view?.program ?? null;
  const mine = newest?.command.split(" ")[0] === program ? newest : null;
  const run = mine?.run ?? null;
  useEffect(() => {
    if (run === null) return;
    let text = "";
    setRows([]);
    return labs.streams.onOutput(run, event => {
      if (event.type !== "output" || event.stream !== "stdout") return;
      text = (text + event.text).slice(-mostText);
      setRows(costRowsIn(text));
    });
  }, [run]);
  const limit = mine?.exited && mine.exited.code !== 0 && !mine.exited.stopped;
  const words =
    (mine?.live && `measuring: ${rows.at(-1)?.count.toLocaleString("en") ?? "no"} descriptors so far`) ||
    (limit && "The measurement ended with an error: look at Output.") ||
    view?.problem ||
    (rows.length > 0 ? "Lines: the book’s machine. Dots: yours." : "");
  return { rows, live: mine?.live ?? false, words, run };
}

const [width, height, left, right, top] = [310, 240, 52, 48, 34];

function Panel({ title, axes, book, own }: { title: string; axes: Axes; book: CostRow[]; own: CostRow[] }) {
  const x = (count: number) => left + onAxis(count, axes.x) * (width - left - right);
  const y = (cost: number) => top + (1 - onAxis(cost, axes.y)) * (height - top - 40);
  const ways = Object.keys(book[0]?.costs ?? {});
  const last = book.at(-1);
  return (
    <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={described(title, book, own)}>
      <text className="measure-title" x={left} y="16">
        {title}
      </text>
      {ticksOf(axes.y).map(cost => (
        <g key={cost}>
          <path className="measure-grid" d={`M${left} ${y(cost)}H${width - right}`} />
          <text className="measure-tick" x={left - 6} y={y(cost) + 4} textAnchor="end">
            {formatMicroseconds(cost)}
          </text>
        </g>
      ))}
      {ticksOf(axes.x).map(count => (
        <text key={count} className="measure-tick" x={x(count)} y={height - 22} textAnchor="middle">
          {count.toLocaleString("en")}
        </text>
      ))}
      <text className="measure-tick" x={width - right} y={height - 5} textAnchor="end">
        descriptors
      </text>
      {ways.map(way => (
        <g key={way} className={`measure-way ${way}`}>
          <polyline
            points={book.map(row => `${x(row.count)},${y(row.costs[way]!)}`).join(" ")}
            strokeDasharray={dashes[way]}
          />
          {own.map(row => (
            <circle key={row.count} cx={x(row.count)} cy={y(row.costs[way] ?? axes.y[0])} r="4" />
          ))}
        </g>
      ))}
      {last &&
        labelsOf(last, y).map(({ way, at }) => (
          <text key={way} className="measure-tick" x={width - right + 8} y={at}>
            {way}
          </text>
        ))}
    </svg>
  );
}

/** The names of the lines, beside their ends; of lines that end close together each is below the one before. */
function labelsOf(last: CostRow, y: (cost: number) => number): { way: string; at: number }[] {
  const labels: { way: string; at: number }[] = [];
  for (const [way, cost] of Object.entries(last.costs).sort(([, a], [, b]) => b - a))
    labels.push({ way, at: Math.max(y(cost) + 4, (labels.at(-1)?.at ?? 0) + 14) });
  return labels;
}

/** What one sees in the picture: its ends, in words. */
function described(title: string, book: CostRow[], own: CostRow[]): string {
  const ends = (rows: CostRow[]) =>
    Object.keys(rows[0]?.costs ?? {})
      .map(way => {
        const [first, last] = [rows[0]!, rows.at(-1)!];
        const [from, to] = [first.costs[way] ?? 0, last.costs[way] ?? 0].map(formatMicroseconds);
        return `${way} ${from} with ${first.count} descriptors, ${to} with ${last.count}`;
      })
      .join("; ");
  return `Cost of one wake-up when ${title}. The book’s machine: ${ends(book)}.${own.length > 0 ? ` Yours: ${ends(own)}.` : ""}`;
}

function Numbers({ book, own }: { book: CostRow[]; own: CostRow[] }) {
  const ways = Object.keys(book[0]?.costs ?? {});
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms, and a section would be a landmark each time
    <div className="table" role="group" tabIndex={0} aria-label="Cost of one wake-up">
      <table>
        <thead>
          <tr>
            <th scope="col">measured</th>
            <th scope="col">descriptors</th>
            {ways.map(way => (
              <th key={way} scope="col">
                {way}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Object.entries({ "by the book": book, "by you": own }).flatMap(([by, rows]) =>
            rows.map(row => (
              <tr key={`${by} ${row.ready} ${row.count}`}>
                <td>{by}</td>
                <th scope="row">
                  {row.count.toLocaleString("en")}, {titles[row.ready] ?? row.ready}
                </th>
                {ways.map(way => (
                  <td key={way}>{formatMicroseconds(row.costs[way] ?? 0)}</td>
                ))}
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}
