// What is known of each check: the newest run's word, and for checks that it did not make, the word of the run
// before. Only the text tells whether an old word still holds.
import { useEffect, useMemo, useRef } from "react";
import type { CheckState, EventOf, LabId } from "../../../server-labs/protocol.ts";
import type { RunView } from "../../labs.ts";

export interface Result {
  state: CheckState | "not run";
  event: EventOf<"check"> | null;
  /** The text has been changed since this was checked. */
  old: boolean;
}

interface Remembered {
  event: EventOf<"check">;
  /** Null: it was checked before this page was opened, and nobody knows which text. */
  text: string | null;
}

const remembered = new Map<LabId, Map<string, Remembered>>();
const finished = (state: CheckState) => state === "passed" || state === "failed" || state === "unobserved";

/** @param text the text of the moment, which a check that begins now is about */
export function useResults(
  lab: LabId,
  checks: { id: string }[],
  run: RunView | null,
  text: string,
): Map<string, Result> {
  const began = useRef<{ run: string; text: string | null } | null>(null);
  if (run && began.current?.run !== run.run) {
    began.current = { run: run.run, text: run.state === "starting" ? text : null };
  }

  useEffect(() => {
    const memory = remembered.get(lab) ?? new Map<string, Remembered>();
    remembered.set(lab, memory);
    for (const event of run?.checks ?? []) {
      if (finished(event.state)) memory.set(event.id, { event, text: began.current?.text ?? null });
    }
  }, [lab, run]);

  return useMemo(() => {
    const isOld = (checked?: string | null) => typeof checked === "string" && checked !== text;
    const now = new Map((run?.checks ?? []).map(event => [event.id, event]));
    return new Map(
      checks.map(({ id }): [string, Result] => {
        const event = now.get(id);
        // A run that ended before it came to this check has said nothing about it.
        if (event && (run?.live || finished(event.state))) {
          return [id, { state: event.state, event, old: isOld(began.current?.text) }];
        }
        const before = remembered.get(lab)?.get(id);
        if (!before) return [id, { state: "not run", event: null, old: false }];
        return [id, { state: before.event.state, event: before.event, old: isOld(before.text) }];
      }),
    );
  }, [lab, checks, run, text]);
}

/** "3 of 8 pass", and what else is to be said. */
export function summary(results: Map<string, Result>, running: boolean): string {
  const states = [...results.values()].map(({ state }) => state);
  const many = (state: Result["state"]) => states.filter(one => one === state).length;
  if (many("not run") === states.length && !running) return "Not checked yet.";
  const said = [`${many("passed")} of ${states.length} pass${running ? " so far" : ""}`];
  if (many("unobserved") > 0) said.push(`${many("unobserved")} could not be observed`);
  if (many("not run") > 0 && !running) said.push(`${many("not run")} not run`);
  return said.join("; ");
}
