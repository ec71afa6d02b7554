// Visit words. What the row of a visit says: what it set out to do, its present state, and how it ended, in a sign.
import type { VisitView } from "../../../labs.ts";

/** The aim without its port: every visit of a run goes to the same one. */
export function shownAim({ aim }: VisitView): VisitView["aim"] {
  return aim.code === "visit-begins" ? { ...aim, port: undefined } : aim;
}

/** The state without the time that had passed when it was reported: the client goes on waiting. */
export function presentState({ state }: VisitView): VisitView["state"] {
  return state.code === "client-waits" || state.code === "client-not-let-in"
    ? { ...state, ms: undefined }
    : state;
}

/** The state as a sign, its colour, and a word. */
export function visitSign(visit: VisitView): { sign: string; colour: string; word: string } {
  if (visit.open) return { sign: "~", colour: "waiting", word: "waits" };
  if (visit.steps.some(({ what }) => what === "refused" || what === "reset"))
    return { sign: "✗", colour: "failed", word: "failed" };
  const { state } = visit;
  if (state.code === "visit-result") {
    const { wanted, statuses, early } = state.outcome;
    if (statuses.length === wanted && !early) return { sign: "✓", colour: "ready", word: "answered" };
    if (statuses.length > wanted) return { sign: "✗", colour: "failed", word: "more answers than requests" };
  }
  if (state.code === "visit-crowd-result" && state.outcome.answered === state.outcome.clients)
    return { sign: "✓", colour: "ready", word: "answered" };
  return { sign: "○", colour: "dim", word: "ended" };
}
