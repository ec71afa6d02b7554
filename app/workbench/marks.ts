// Marks. Two lines of the student's files: the line of the latest call, and the line where the program waits.
// They are lines of the texts that run; another text gets no mark.
import { useEffect, useMemo } from "react";
import { createStore } from "zustand/vanilla";
import type { CallRecord, RunId } from "../../server-labs/protocol.ts";
import type { Draft } from "../drafts.ts";
import { labs, type RunView } from "../labs.ts";
import { textEtag } from "./etag.ts";
import { useTexts } from "./files.ts";
import { useDraftState } from "./lab.ts";
import { callIsKnown, stopWords } from "./pace/stop-words.ts";

/** A line of the file that starts, or of another one that it imports. */
export interface MarkedLine {
  line: number;
  file?: string;
}

export interface Marks {
  latest: MarkedLine | null;
  /** Where it waits at a call's boundary, and in which words. */
  waits: (MarkedLine & { where: "before" | "after"; words: string }) | null;
}

const none: Marks = { latest: null, waits: null };
export const marks = createStore<Marks>(() => none);

/** Milliseconds between two moves of the mark: a program that hurries shows where it is, not all the places it was at. */
const restMs = 100;

/**
 * Follows a run for as long as the caller is on the page.
 * @param others the drafts of the lab's other files, by name
 */
export function useMarks(
  draft: Draft | null,
  others: ReadonlyMap<string, Draft>,
  program: RunView | null,
): void {
  const live = program?.live ?? false;
  const run = live ? (program?.run ?? null) : null;
  const stop = live && program?.pace?.state === "stopped" ? program.pace : null;
  const runs = useRunningTexts(draft, others, program);
  useEffect(() => {
    if (!run) return;
    const end = followLatest(run, call =>
      marks.setState({ latest: call && runs(call) ? place(call) : null }),
    );
    return () => {
      end();
      marks.setState(none, true);
    };
  }, [run, runs]);
  useEffect(() => {
    if (!run || !stop?.stop) return;
    const { n, where } = stop.stop;
    // The call may come a moment later than the word that the program waits at it.
    const show = () => {
      const call = labs.streams.calls(run).find(n);
      const isKnown = call !== null && call.line !== null;
      if (isKnown && runs(call))
        marks.setState({ waits: { ...place(call), where, words: stopWords(run, stop) } });
      return isKnown && callIsKnown(run, stop);
    };
    const end = show() ? () => {} : labs.streams.onSyscalls(run, () => void show());
    return () => {
      end();
      marks.setState({ waits: null });
    };
  }, [run, stop, runs]);
}

const place = ({ line, file }: CallRecord): MarkedLine => ({
  line: line!,
  ...(file === undefined ? {} : { file }),
});

/** Is the text on screen, of the file that made a call, the text that runs? The answer changes with the texts. */
function useRunningTexts(
  draft: Draft | null,
  others: ReadonlyMap<string, Draft>,
  program: RunView | null,
): (call: CallRecord) => boolean {
  const text = useDraftState(draft, state => state.text);
  const etag = program?.etag ?? null;
  const main = useMemo(() => etag !== null && textEtag(text) === etag, [text, etag]);
  const modules = program?.modules;
  const texts = useTexts(others);
  return useMemo(() => {
    const same = new Set(
      texts.filter(({ file, text }) => modules?.[file] === textEtag(text)).map(({ file }) => file),
    );
    return ({ file }) => (file === undefined ? main : same.has(file));
  }, [main, modules, texts]);
}

/** Calls back with the latest call that told its line, in a frame and not more often than one can see. */
function followLatest(run: RunId, onCall: (call: CallRecord | null) => void): () => void {
  let [shown, due, frame] = [0, 0, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    frame = 0;
    shown = performance.now();
    due = 0;
    onCall(labs.streams.calls(run).lined);
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
