// Where a program waits, in the words in which Syscalls shows the call: the bar, the editor and the list agree.
import { useEffect, useReducer } from "react";
import type { Pace, RunId } from "../../../server-labs/protocol.ts";
import { labs, type RunView } from "../../labs.ts";
import { inWords } from "../syscalls/compact.ts";

/** The call that it waits at has come, and with its result where it is known. */
export function isTold(run: RunId, { stop }: Pace): boolean {
  const call = stop && labs.streams.calls(run).find(stop.n);
  return stop === null || (call !== null && (stop.where === "before" || call.took !== null));
}

/** "paused after accept4(19) = 21 from :51322"; until the call has come, as the lab server says it. */
export function stopWords(run: RunId, pace: Pace): string {
  const call = pace.stop && labs.streams.calls(run).find(pace.stop.n);
  if (!pace.stop || !call || !isTold(run, pace)) return pace.sentence;
  const { made, gave } = inWords(call);
  const hit = /, at the breakpoint on .*$/.exec(pace.sentence)?.[0] ?? "";
  return `paused ${pace.stop.where} ${made}${pace.stop.where === "after" ? ` = ${gave}` : ""}${hit}`;
}

/** How the program goes, in words, and again when its call has come a moment later than the word that it waits there. */
export function usePaceWords({ run, live }: RunView, pace: Pace): string {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const waits = live && pace.state === "stopped";
  const missing = waits && !isTold(run, pace);
  useEffect(() => (missing ? labs.streams.onSyscalls(run, again) : undefined), [missing, run]);
  return waits ? stopWords(run, pace) : pace.sentence;
}
