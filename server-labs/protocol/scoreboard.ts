// Scoreboard. The checks of a lab, made of several servers: what came out of each check for each server, and the table of it.
import type { CheckState, EventOf, Failure, ScoredServer } from "./events.ts";
import { count } from "./sentences/format.ts";

/** The id of the student's own server. */
export const ownServer = "own";

/** What came out of one check of one server. */
export interface Score {
  state: CheckState;
  /** What failed, or why the check was not judged. */
  why?: string;
}

/** All that is known of a scoreboard: it fits into a browser's storage, and has no evidence. */
export interface Scores {
  servers: readonly ScoredServer[];
  /** Server → check → what came out. */
  results: Readonly<Record<string, Readonly<Record<string, Score>>>>;
}

type ScoreEvent =
  | Pick<EventOf<"scoreboard">, "type" | "servers">
  | Pick<EventOf<"check">, "type" | "id" | "state" | "server" | "failure" | "note">;

/** @param scores null before the first event of a scoreboard @returns the scores with this event added */
export function withScore(scores: Scores | null, event: ScoreEvent): Scores | null {
  if (event.type === "scoreboard") return { servers: event.servers, results: {} };
  if (scores === null) return null;
  const { id, state, server = ownServer, failure, note } = event;
  const why = failure ? failureSentence(failure) : note;
  const score: Score = { state, ...(why === undefined ? {} : { why }) };
  return { ...scores, results: { ...scores.results, [server]: { ...scores.results[server], [id]: score } } };
}

/** A failure in one sentence, with what was expected and what came. */
export function failureSentence({ summary, expected, actual }: Failure): string {
  if (expected === undefined || actual === undefined) return summary;
  return `${summary.replace(/\.$/, "")} (expected: ${clipped(expected)}; got: ${clipped(actual)}).`;
}

const clipped = (text: string) => (text.length > 100 ? `${text.slice(0, 99)}…` : text);

/** A check as the table shows it. */
export interface ScoredCheck {
  id: string;
  title: string;
  /** The heading below which the lab's checks.ts declares it. */
  group?: string;
}

/** The state of a cell; "missing": the server is not installed; "not made": the run ended before it came to this check. */
export type CellState = CheckState | "missing" | "not made";

export interface ScoreCell {
  state: CellState;
  why: string | null;
}

/** How many checks of one server came out how. */
export interface ScoreTotal {
  passed: number;
  failed: number;
  /** Not judged, or not observed. */
  unjudged: number;
  /** Not ended yet, or not made. */
  open: number;
}

export interface ScoreTable {
  servers: readonly ScoredServer[];
  groups: { title: string | null; rows: { check: ScoredCheck; cells: ScoreCell[] }[] }[];
  /** One for each server; null for a server that is missing. */
  totals: (ScoreTotal | null)[];
}

/** The table: a row for each check, a cell for each server. @param live the run is under way */
export function scoreTable(checks: readonly ScoredCheck[], scores: Scores, live: boolean): ScoreTable {
  const cellOf = ({ id, missing }: ScoredServer, check: ScoredCheck): ScoreCell => {
    if (missing) return { state: "missing", why: null };
    const { state = "waiting", why = null } = scores.results[id]?.[check.id] ?? {};
    const open = state === "waiting" || state === "running";
    return { state: open && !live ? "not made" : state, why };
  };
  const groups: ScoreTable["groups"] = [];
  for (const check of checks) {
    const title = check.group ?? null;
    if (groups.length === 0 || groups.at(-1)!.title !== title) groups.push({ title, rows: [] });
    groups.at(-1)!.rows.push({ check, cells: scores.servers.map(server => cellOf(server, check)) });
  }
  const rows = groups.flatMap(group => group.rows);
  const totals = scores.servers.map(({ missing }, column) =>
    missing ? null : totalOf(rows.map(row => row.cells[column]!.state)),
  );
  return { servers: scores.servers, groups, totals };
}

function totalOf(states: readonly CellState[]): ScoreTotal {
  const many = (...wanted: CellState[]) => states.filter(state => wanted.includes(state)).length;
  return {
    passed: many("passed"),
    failed: many("failed"),
    unjudged: many("unjudged", "unobserved"),
    open: many("waiting", "running", "not made"),
  };
}

/** How a cell is written: a sign, and a word that says the same. */
export const cellWords: Readonly<Record<CellState, { sign: string; word: string }>> = {
  waiting: { sign: "○", word: "waiting" },
  running: { sign: "◐", word: "running" },
  passed: { sign: "✓", word: "passed" },
  failed: { sign: "✗", word: "failed" },
  unjudged: { sign: "–", word: "not judged" },
  unobserved: { sign: "?", word: "not seen" },
  missing: { sign: "·", word: "not installed" },
  "not made": { sign: "·", word: "not made" },
};

/** "23 of 27 checks passed, 1 failed, 3 not judged" */
export function totalWords({ passed, failed, unjudged, open }: ScoreTotal): string {
  const parts = [`${passed} of ${count(passed + failed + unjudged + open, "check")} passed`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (unjudged > 0) parts.push(`${unjudged} not judged`);
  if (open > 0) parts.push(`${open} not made`);
  return parts.join(", ");
}

/** "not installed: apt-get install nginx" */
export const missingWords = ({ get }: NonNullable<ScoredServer["missing"]>) => `not installed: ${get}`;
