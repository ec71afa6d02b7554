// What this browser remembers of a reader: where they were, what their checks said, what they guessed and answered.
import { persist } from "zustand/middleware";
import { createStore } from "zustand/vanilla";
import type { CheckState, LabId } from "../server-labs/protocol.ts";
import { labs } from "./labs.ts";

export interface Progress {
  /** The lesson that was open last. */
  last: string | null;
  /** Lab → check id → what it said when it was last made. */
  checks: Record<LabId, Record<string, CheckState>>;
  /** "<lesson>/<name>" of a predict or quiz → the index of the option chosen, or the words written. */
  answers: Record<string, number | string>;
}

export const progress = createStore<Progress>()(
  persist(() => ({ last: null, checks: {}, answers: {} }) as Progress, {
    name: "workbook.progress",
    version: 1,
  }),
);

export function remember(lesson: string): void {
  if (progress.getState().last !== lesson) progress.setState({ last: lesson });
}

/** @param answer null takes it back. */
export function answer(key: string, answer: number | string | null): void {
  progress.setState(({ answers }) => {
    const { [key]: _, ...others } = answers;
    return { answers: answer === null ? others : { ...others, [key]: answer } };
  });
}

// A check's last word is kept as soon as it is spoken: the card in the prose and the contents show it.
labs.store.subscribe((now, before) => {
  for (const [lab, { check }] of Object.entries(now.labs)) {
    if (!check || check.checks === before.labs[lab]?.check?.checks) continue;
    const ended = check.checks.filter(({ state }) => state === "passed" || state === "failed");
    const known = progress.getState().checks[lab] ?? {};
    if (ended.every(({ id, state }) => known[id] === state)) continue;
    const said = Object.fromEntries(ended.map(({ id, state }) => [id, state]));
    progress.setState(({ checks }) => ({ checks: { ...checks, [lab]: { ...known, ...said } } }));
  }
});
