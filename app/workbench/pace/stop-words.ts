// Pace in words. Where a program waits, with the call as Syscalls shows it: the bar, the editor and the list agree.
import { useEffect, useReducer } from "react";
import {
  type Pace,
  paceSentence,
  paceStatement,
  type RunId,
  sentence,
} from "../../../server-labs/protocol.ts";
import { labs, type RunView } from "../../labs.ts";
import { inWords } from "../panes/syscalls.ts";

/** Has the call at which the program waits come, and after it its result? */
export function callIsKnown(run: RunId, { stop }: Pace): boolean {
  const call = stop && labs.streams.calls(run).find(stop.n);
  return stop === null || (call !== null && (stop.where === "before" || call.took !== null));
}

/** "paused after accept4(19) = 21 from :51322"; in strace's notation until the call has come. */
export function stopWords(run: RunId, pace: Pace): string {
  const call = pace.stop && labs.streams.calls(run).find(pace.stop.n);
  const statement = paceStatement(pace);
  if (statement.code !== "paused" || !call || !callIsKnown(run, pace)) return sentence(statement);
  return sentence({ ...statement, call: { name: call.call, ...inWords(call) } });
}

/** The pace in words, and again when the call comes a moment later than the stop. */
export function usePaceWords({ run, live }: RunView, pace: Pace): string {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const waits = live && pace.state === "stopped";
  const isMissing = waits && !callIsKnown(run, pace);
  useEffect(() => (isMissing ? labs.streams.onSyscalls(run, again) : undefined), [isMissing, run]);
  return waits ? stopWords(run, pace) : paceSentence(pace);
}
