// The two lines of the student's text that a running program is at: the line of its latest call, and the line where it
// waits. They are lines of the text that runs: in any other text nothing is marked.
import { useEffect, useState } from "react";
import { createStore } from "zustand/vanilla";
import type { RunId } from "../../server-labs/protocol.ts";
import type { Draft } from "../drafts.ts";
import { labs, type RunView } from "../labs.ts";
import { useDraftState } from "./lab.ts";
import { isTold, stopWords } from "./pace/stop-words.ts";

export interface Marks {
  latest: number | null;
  /** Where it waits at a call's boundary, and in which words. */
  waits: { line: number; where: "before" | "after"; words: string } | null;
}

const none: Marks = { latest: null, waits: null };
export const marks = createStore<Marks>(() => none);

/** Milliseconds between two moves of the mark: a program that hurries shows where it is, not all the places it was at. */
const restMs = 100;

/** Follows a run for as long as the caller is on the page. */
export function useMarks(draft: Draft | null, program: RunView | null): void {
  const text = useDraftState(draft, state => state.text);
  const live = program?.live ?? false;
  const same = useRuns(text, live ? (program?.etag ?? null) : null);
  const run = same ? (program?.run ?? null) : null;
  const stop = live && program?.pace?.state === "stopped" ? program.pace : null;
  useEffect(() => {
    if (!run) return;
    const end = followLatest(run, latest => marks.setState({ latest }));
    return () => {
      end();
      marks.setState(none, true);
    };
  }, [run]);
  useEffect(() => {
    if (!run || !stop?.stop) return;
    const { n, where } = stop.stop;
    // The call may come a moment later than the word that the program waits at it.
    const show = () => {
      const line = labs.streams.calls(run).find(n)?.line ?? null;
      if (line !== null) marks.setState({ waits: { line, where, words: stopWords(run, stop) } });
      return line !== null && isTold(run, stop);
    };
    const end = show() ? () => {} : labs.streams.onSyscalls(run, () => void show());
    return () => {
      end();
      marks.setState({ waits: null });
    };
  }, [run, stop]);
}

/** Is this the text that runs? Not known for a moment after each change: then it is said not to be. */
function useRuns(text: string, etag: string | null): boolean {
  const [same, setSame] = useState<string | null>(null);
  useEffect(() => {
    let over = false;
    if (etag !== null) {
      void etagOf(text).then(found => {
        if (!over) setSame(found === etag ? text + etag : null);
      });
    }
    return () => {
      over = true;
    };
  }, [text, etag]);
  return etag !== null && same === text + etag;
}

/** As the lab server names a content: what it is made of is the same there and here. */
async function etagOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return `"${base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}"`;
}

/** Calls back with the line of the latest call that told its line, in a frame and not more often than one can see. */
function followLatest(run: RunId, onLine: (line: number | null) => void): () => void {
  let [shown, due, frame] = [0, 0, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    frame = 0;
    shown = performance.now();
    due = 0;
    onLine(labs.streams.calls(run).lined?.line ?? null);
  };
  const soon = () => {
    if (due) return;
    due = 1;
    const wait = shown + restMs - performance.now();
    const next = () => {
      frame = requestAnimationFrame(show);
    };
    if (wait > 0) timer = setTimeout(next, wait);
    else next();
  };
  const end = labs.streams.onSyscalls(run, soon);
  soon();
  return () => {
    end();
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}
