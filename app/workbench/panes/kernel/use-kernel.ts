// Kernel state hook. Samples a run only while a reader can see it: the pane is there, and the page is in view.
import { useEffect, useReducer, useState, useSyncExternalStore } from "react";
import { type KernelLog, labs, type RunView } from "../../../labs.ts";

/** Four a second: more than an eye follows, and seldom more than a twentieth of a processor allows. */
const everyMs = 250;

/** The samples of a run, and whether the newest came since this pane asked for samples: an older one is of another time. */
export function useKernel(program: RunView | null): { kernel: KernelLog; fresh: boolean } {
  const run = program?.run ?? null;
  const live = program?.live ?? false;
  const [, again] = useReducer((n: number) => n + 1, 0);
  const seen = useSyncExternalStore(onVisibility, isSeen);
  const [before, setBefore] = useState(Number.POSITIVE_INFINITY);
  useEffect(() => {
    if (!run || !live || !seen) return;
    setBefore(labs.streams.kernel(run).samples);
    const end = labs.sample(run, everyMs);
    return () => {
      setBefore(Number.POSITIVE_INFINITY);
      end();
    };
  }, [run, live, seen]);
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
  const kernel = labs.streams.kernel(run);
  return { kernel, fresh: !live || kernel.samples > before };
}

/** Milliseconds since the run started, twice a second while it lives: the lines go on although no sample comes. */
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
