// Check results. What is known of each check of a lab: the run that is under way, the runs before it, and what the browser kept.
// A run that makes one check says nothing of the others: their results stay those of the runs before.
import type { CheckState, EventOf } from "../../server-labs/protocol.ts";
import type { RunView } from "./run-log.ts";

/** The texts that were checked. */
export interface CheckedTexts {
  /** The ETag of the file that starts; null if it is not known. */
  etag: string | null;
  /** Those of the student's own modules that it imports, by their path in the lab's folder; left out where it has none. */
  modules?: Readonly<Record<string, string>>;
}

/** The last time that a check came to an end. */
export interface CheckResult extends CheckedTexts {
  event: EventOf<"check">;
}

/** Check id → its last result. */
export type LastResults = Readonly<Record<string, CheckResult>>;

const final: ReadonlySet<CheckState> = new Set(["passed", "failed", "unobserved", "unjudged"]);

/** Whether a check in this state has come to an end. */
export const isFinal = (state: CheckState): boolean => final.has(state);

/** @returns the results with those of a run added; the same object if the run adds none */
export function withResultsOf(known: LastResults, run: RunView): LastResults {
  const { checks } = run;
  const ended = checks.filter(event => isFinal(event.state) && known[event.id]?.event !== event);
  if (ended.length === 0) return known;
  return { ...known, ...Object.fromEntries(ended.map(event => [event.id, { event, ...textsOf(run) }])) };
}

function textsOf({ etag, modules }: RunView): CheckedTexts {
  return Object.keys(modules).length > 0 ? { etag, modules } : { etag };
}

/** Were the same texts checked? */
export function sameTexts(one: CheckedTexts, other: CheckedTexts): boolean {
  const [mine, theirs] = [Object.entries(one.modules ?? {}), other.modules ?? {}];
  const same = mine.every(([file, etag]) => theirs[file] === etag);
  return one.etag === other.etag && same && mine.length === Object.keys(theirs).length;
}

/** What the browser keeps of a result; the evidence of a failure is not kept. */
export interface KeptResult extends CheckedTexts {
  state: CheckState;
}

/** What is shown of one check. */
export interface CheckView {
  state: CheckState | "not run";
  /** Null when the result is older than this page: its state was kept, its evidence was not. */
  event: EventOf<"check"> | null;
  /** The ETag of the text that was checked; null if it is not known. */
  etag: string | null;
  /** The text has changed since the check was made. */
  old: boolean;
}

/** Check id → what is shown of it, in the order of the lab's checks. */
export type CheckResults = ReadonlyMap<string, CheckView>;

interface Sources {
  run: RunView | null;
  last: LastResults;
  kept: Readonly<Record<string, KeptResult>>;
}

/**
 * @param etag makes the ETag of a file's text now, of the file that starts where none is named; undefined when its text is
 *   not known. It costs a hash, and is asked for only when a result has one
 */
export function checkResults(
  ids: readonly string[],
  { run, last, kept }: Sources,
  etag: (file?: string) => string | undefined,
): CheckResults {
  const known = new Map<string | undefined, string | undefined>();
  const now = (file?: string) => {
    if (!known.has(file)) known.set(file, etag(file));
    return known.get(file);
  };
  const isOther = (checked: string, file?: string) => checked !== (now(file) ?? checked);
  const isOld = ({ etag: checked, modules = {} }: CheckedTexts) =>
    (checked !== null && isOther(checked)) ||
    Object.entries(modules).some(([file, checked]) => isOther(checked, file));
  const made = new Map((run?.checks ?? []).map(event => [event.id, event]));
  const view = (id: string): CheckView => {
    const event = made.get(id);
    // A run that ended before it came to this check has not said anything about it.
    if (run && event && (run.live || isFinal(event.state)))
      return { state: event.state, event, etag: run.etag, old: isOld(run) };
    const before = last[id];
    if (before) {
      const { event, etag } = before;
      return { state: event.state, event, etag, old: isOld(before) };
    }
    const stored = kept[id];
    return stored
      ? { state: stored.state, event: null, etag: stored.etag, old: isOld(stored) }
      : { state: "not run", event: null, etag: null, old: false };
  };
  return new Map(ids.map(id => [id, view(id)]));
}

/** "3 of 8 pass; 1 could not be observed" @param running a check run is under way */
export function summaryOf(results: CheckResults, running: boolean): string {
  const states = [...results.values()].map(({ state }) => state);
  const many = (state: CheckView["state"]) => states.filter(one => one === state).length;
  if (many("not run") === states.length && !running) return "Not checked yet.";
  const parts = [`${many("passed")} of ${states.length} pass${running ? " so far" : ""}`];
  if (many("unobserved") > 0) parts.push(`${many("unobserved")} could not be observed`);
  if (many("unjudged") > 0) parts.push(`${many("unjudged")} not judged`);
  if (many("not run") > 0 && !running) parts.push(`${many("not run")} not run`);
  return parts.join("; ");
}
