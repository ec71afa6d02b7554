// Thinning. Makes room among the older rows of a run: calls that repeat go first and become counts, then those that only
// differ, and then the oldest of all, which the first row counts. No call goes without being counted.
import {
  type CallRecord,
  callIndex,
  callPriority,
  type EventOf,
  priorityOf,
} from "../../server-labs/protocol.ts";

/** One line of the pane: a call, or what was counted instead of it. */
export type CallListRow =
  | {
      type: "call";
      call: CallRecord;
      /** What it says, as a number: equal for equal calls; made when it is asked for. */
      says?: number;
    }
  | EventOf<"syscalls-omitted">
  | EventOf<"gap">;

type Omitted = EventOf<"syscalls-omitted">;
type Count = Omitted | EventOf<"gap">;

/** A row with its place among all rows ever added. */
export interface PlacedRow {
  row: CallListRow;
  place: number;
}

/**
 * @param most rows that stay
 * @returns what is left, and whether something went that mattered
 */
export function thinned(
  rows: readonly PlacedRow[],
  most: number,
): { rows: PlacedRow[]; incomplete: boolean } {
  const different = withoutCalls(rows, repeatsIn(rows));
  if (different.length <= most) return { rows: different, incomplete: false };
  const essential = withoutCalls(different, ({ row }) => isBelow(row, callPriority.essential));
  if (essential.length <= most) return { rows: essential, incomplete: false };
  return { rows: withoutOldest(essential, most), incomplete: true };
}

const isBelow = (row: CallListRow, priority: number) =>
  row.type === "call" && priorityOf(row.call) < priority;

/** A call that repeats stays where it is the last before another one of its kind, which matters. */
function repeatsIn(rows: readonly PlacedRow[]): (placed: PlacedRow) => boolean {
  const repeats = new Set<PlacedRow>();
  const last = new Map<number, PlacedRow>();
  for (const placed of rows) {
    const { row } = placed;
    if (row.type !== "call") continue;
    const kind = callIndex(row.call.call) * 2 ** 32 + (row.call.fd ?? 0);
    if (isBelow(row, callPriority.differs)) repeats.add(placed);
    else repeats.delete(last.get(kind)!);
    last.set(kind, placed);
  }
  return placed => repeats.has(placed);
}

/** The calls that are left out become counts, and counts one after the other become one. */
function withoutCalls(rows: readonly PlacedRow[], leaves: (placed: PlacedRow) => boolean): PlacedRow[] {
  const left: PlacedRow[] = [];
  /** The last row left, where it was made here: counts are added to it. */
  let sum: Count | null = null;
  for (const placed of rows) {
    const { row, place } = placed;
    const stays = row.type === "call" && !leaves(placed);
    const before = left.at(-1);
    if (stays || before === undefined || before.row.type === "call" || before.row.type !== countType(row)) {
      sum = row.type === "call" && !stays ? countOf(row.call) : null;
      left.push(sum === null ? placed : { row: sum, place });
      continue;
    }
    if (sum === null) {
      sum = copyOf(before.row);
      left[left.length - 1] = { row: sum, place: before.place };
    }
    addTo(sum, row);
  }
  return left;
}

const countType = (row: CallListRow) => (row.type === "gap" ? "gap" : "syscalls-omitted");

function countOf({ call, n, at }: CallRecord): Omitted {
  return { type: "syscalls-omitted", run: "", seq: 0, at, first: n, count: 1, byName: { [call]: 1 } };
}

function copyOf(row: Count): Count {
  if (row.type === "gap") return { ...row };
  // Those that `through` speaks of are rows of their own, or counted by now.
  const { through: _, ...rest } = row;
  return { ...rest, byName: { ...row.byName } };
}

/** Adds what one row counts to the sum of others of its type. */
function addTo(sum: Count, row: CallListRow): void {
  if (sum.type === "gap") {
    if (row.type !== "gap") return;
    sum.events += row.events;
    sum.calls += row.calls;
    if (!row.repeats) delete sum.repeats;
  } else if (row.type === "call") {
    sum.count++;
    sum.byName[row.call.call] = (sum.byName[row.call.call] ?? 0) + 1;
  } else if (row.type === "syscalls-omitted") {
    sum.count += row.count;
    for (const [name, times] of Object.entries(row.byName))
      sum.byName[name] = (sum.byName[name] ?? 0) + times;
    if (row.lost) sum.lost = (sum.lost ?? 0) + row.lost;
    if (row.incomplete) sum.incomplete = true;
  }
}

/** The newest rows; the first says how many calls there were before them. */
function withoutOldest(rows: readonly PlacedRow[], most: number): PlacedRow[] {
  const from = rows.length - Math.max(1, Math.floor(most * 0.9)) + 1;
  const [gone, left] = [rows.slice(0, from), rows.slice(from)];
  const calls = gone.reduce((sum, { row }) => sum + callsIn(row), 0);
  const { place } = gone.at(-1)!;
  const row = { type: "gap", run: "", seq: 0, at: 0, events: 0, bytes: 0, calls } as const;
  return [{ row, place }, ...left];
}

/** How many calls a row is about. */
function callsIn(row: CallListRow): number {
  if (row.type === "call") return 1;
  return row.type === "gap" ? row.calls : row.count;
}
