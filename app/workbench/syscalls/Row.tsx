// One line of the list: a call, calls that repeat, or what was counted instead of shown.
import type { Stop } from "../../../server-labs/protocol.ts";
import type { CallRow, Calls, RunView } from "../../labs.ts";
import { count, number } from "../words.ts";
import { Call } from "./Call.tsx";
import { Folded } from "./Folded.tsx";
import { type Folds, rowsOf } from "./fold.ts";
import type { Line } from "./visible.ts";

interface Props {
  id: string;
  line: Line;
  folds: Folds;
  calls: Calls;
  /** Pixels from the top of the list. */
  top: number;
  /** Its place among all lines of the run, from 0. */
  place: number;
  current: boolean;
  program: RunView;
  onChoose(): void;
}

export function Row({ id, line, folds, calls, top, place, current, program, onChoose }: Props) {
  const row = rowOf(line, folds, calls);
  const inside = line.type === "row" && line.inside;
  const stop = stopOf(program);
  const waits =
    stop !== null && (row ? row.type === "call" && row.call.n === stop.n : holds(line, folds, stop.n));
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list itself has the keys.
    <div
      className={`syscall${inside ? " inside" : ""}${waits ? " at-stop" : ""}`}
      role="treeitem"
      tabIndex={-1}
      id={id}
      aria-level={inside ? 2 : 1}
      aria-expanded={line.type === "fold" ? line.open : undefined}
      aria-selected={current}
      aria-posinset={place + 1}
      aria-setsize={-1}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onChoose}
    >
      {line.type === "fold" && <Folded fold={line.fold} folds={folds} open={line.open} />}
      {row?.type === "call" && <Call call={row.call} program={program} />}
      {row && row.type !== "call" && <Left row={row} />}
    </div>
  );
}

/** Where the program waits at a call's boundary, if it does. */
export function stopOf(program: RunView): Stop | null {
  return program.live && program.pace?.state === "stopped" ? program.pace.stop : null;
}

/** Is the call among those that a fold stands for? */
function holds(line: Line, folds: Folds, n: number): boolean {
  if (line.type !== "fold" || line.open) return false;
  const [first, last] = [line.fold.first, line.fold.first + rowsOf(line.fold) - 1].map(
    row => folds.row(row)?.row,
  );
  return last?.type === "call" && n <= last.call.n && !(first?.type === "call" && n < first.call.n);
}

/** The row that a line shows; none for a fold. */
export function rowOf(line: Line | undefined, folds: Folds, calls: Calls): CallRow | undefined {
  if (line?.type === "row") return folds.row(line.row)?.row;
  return line?.type === "asleep" ? calls.row(line.place - calls.forgotten) : undefined;
}

function Left({ row }: { row: Exclude<CallRow, { type: "call" }> }) {
  if (row.type === "gap") {
    return (
      <span className="syscall-left">… {count(row.calls, "call")} before this are no longer kept …</span>
    );
  }
  const names = Object.entries(row.byName)
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `${name} ×${number(times)}`)
    .join(", ");
  const sentence = `… ${count(row.count, "call")} not shown one by one: ${names} …`;
  return (
    <span className="syscall-left" title={sentence}>
      {sentence}
    </span>
  );
}
