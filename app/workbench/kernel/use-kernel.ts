// The kernel's state of a run as React sees it. It is sampled only while somebody can see it: the pane is there, and the
// page is in view.
import { useEffect, useReducer, useState, useSyncExternalStore } from "react";
import { type KernelLog, labs, type RunView } from "../../labs.ts";

/** Four a second: more than an eye follows, and seldom more than a twentieth of a processor allows. */
const everyMs = 250;

export function useKernel(program: RunView | null): KernelLog {
  const run = program?.run ?? null;
  const live = program?.live ?? false;
  const [, again] = useReducer((n: number) => n + 1, 0);
  const seen = useSyncExternalStore(onVisibility, isSeen);
  useEffect(() => (run && live && seen ? labs.sample(run, everyMs) : undefined), [run, live, seen]);
  useEffect(() => {
    if (!run) return;
    let frame = 0;
    const end = labs.streams.onKernel(run, () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        again();
      });
    });
    return () => {
      end();
      cancelAnimationFrame(frame);
    };
  }, [run]);
  return labs.streams.kernel(run);
}

/** Milliseconds since the run began, twice a second while it lives: a rate falls though nothing is said. */
export function useRunClock(program: RunView): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!program.live) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [program.live]);
  return now - program.began;
}

const isSeen = () => document.visibilityState === "visible";

function onVisibility(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}
