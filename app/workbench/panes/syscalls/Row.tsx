// List row. One line of the list: a call, calls that repeat, or calls that were counted instead of shown.
import { count, type EventOf, omittedCalls, type Stop } from "../../../../server-labs/protocol.ts";
import type { CallList, CallListRow, RunView } from "../../../labs.ts";
import { CallCells } from "./Call.tsx";
import { Folded } from "./Folded.tsx";
import { type Folds, rowsOf } from "./fold.ts";
import type { Line } from "./visible.ts";

interface Props {
  id: string;
  line: Line;
  folds: Folds;
  calls: CallList;
  /** Pixels from the top of the list. */
  top: number;
  /** Its place among the lines that are kept, from 0. */
  place: number;
  current: boolean;
  program: RunView;
  onChoose(): void;
}

export function CallListItem({ id, line, folds, calls, top, place, current, program, onChoose }: Props) {
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
      {row?.type === "call" && <CallCells call={row.call} program={program} calls={calls} />}
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
  const [first, last] = [line.fold.first, line.fold.first + rowsOf(line.fold) - 1].map(row => folds.row(row));
  return last?.type === "call" && n <= last.call.n && !(first?.type === "call" && n < first.call.n);
}

/** The row that a line shows; none for a fold. */
export function rowOf(line: Line | undefined, folds: Folds, calls: CallList): CallListRow | undefined {
  if (line?.type === "row") return folds.row(line.row);
  return line?.type === "asleep" ? calls.at(line.place) : undefined;
}

function Left({ row }: { row: Exclude<CallListRow, { type: "call" }> }) {
  if (row.type === "gap") {
    return <span className="syscall-left">{goneCalls(row)}</span>;
  }
  const sentence = omittedCalls(row);
  return (
    <span className="syscall-left" title={sentence}>
      {sentence}
    </span>
  );
}

const goneCalls = ({ calls, repeats }: EventOf<"gap">): string =>
  repeats
    ? `… ${count(calls, "call")} that repeat are no longer kept …`
    : `… ${count(calls, "call")} before this are no longer kept …`;
