// Notices. Bars above the editor: a conflict of two texts, a reset that can be undone, a failed request.
import { type RefObject, useEffect, useRef } from "react";
import type { Draft } from "../drafts.ts";
import type { FileNotice } from "./FileTabs.tsx";
import { useDraftState, type WorkbenchLab } from "./lab.ts";

interface Props {
  lab: WorkbenchLab;
  draft: Draft | null;
  /** What the lab server could not do, in a sentence. */
  problem: string | null;
  /** Something was just put in place of the student's text. */
  replaced: string | null;
  onReplaced(sentence: string | null): void;
}

/** Where a text is that was replaced, once the notice with its button is gone. */
export const wayBack = "Ctrl+Z in the editor brings it back.";

/** A notice of what was done stays so long, in milliseconds. */
const noticeMs = 20_000;

/**
 * Ends a notice after a while, and with the next edit; not while the reader is in it.
 * @param notice null for none
 * @param draft of the file that is open
 */
function useEnd(notice: unknown, draft: Draft | null, onEnd: () => void): RefObject<HTMLDivElement | null> {
  const bar = useRef<HTMLDivElement>(null);
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    if (!notice) return;
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      timer = setTimeout(() => {
        if (bar.current?.matches(":hover, :focus-within")) wait();
        else end.current();
      }, noticeMs);
    };
    wait();
    const unfollow = draft?.store.subscribe((now, before) => {
      if (before.loaded && now.text !== before.text) end.current();
    });
    return () => {
      clearTimeout(timer);
      unfollow?.();
    };
  }, [notice, draft]);
  return bar;
}

export function Bars({ lab, draft, problem, replaced, onReplaced }: Props) {
  const conflict = useDraftState(draft, state => state.conflict !== null);
  const bar = useEnd(replaced, draft, () => onReplaced(null));
  const canUndo = useDraftState(draft, state => state.setAside !== null);
  const take = async (which: "mine" | "theirs") => {
    await draft?.choose(which);
    onReplaced(
      which === "mine"
        ? "Your text is kept; the other version is set aside."
        : `The file's text is shown; yours is set aside. ${wayBack}`,
    );
  };
  return (
    <>
      {conflict && (
        <div className="bench-bar waiting" role="alert">
          <p>{lab.file} was changed outside this page while you were editing it here.</p>
          <button type="button" className="button small" onClick={() => void take("mine")}>
            Keep mine
          </button>
          <button type="button" className="button small" onClick={() => void take("theirs")}>
            Take theirs
          </button>
        </div>
      )}
      {replaced && (
        <div className="bench-bar" role="status" ref={bar}>
          <p>{replaced}</p>
          {canUndo && (
            <button
              type="button"
              className="button small"
              onClick={() => {
                draft?.restore();
                onReplaced(null);
              }}
            >
              Undo
            </button>
          )}
          <button type="button" className="button quiet small" onClick={() => onReplaced(null)}>
            Dismiss
          </button>
        </div>
      )}
      {problem && (
        <div className="bench-bar failed" role="alert">
          <p>{problem}</p>
        </div>
      )}
    </>
  );
}

interface FileBarProps {
  notice: FileNotice | null;
  /** Of the file that is open. */
  draft: Draft | null;
  onDone(): void;
}

/** What became of a file: made, renamed, removed, or why not. */
export function FileBar({ notice, draft, onDone }: FileBarProps) {
  const bar = useEnd(notice, draft, onDone);
  const undo = useRef<HTMLButtonElement>(null);
  // The tab that had the focus is gone.
  useEffect(() => {
    if (notice?.undo) undo.current?.focus();
  }, [notice]);
  if (!notice) return null;
  return (
    <div className="bench-bar" role="status" ref={bar}>
      <p>{notice.sentence}</p>
      {notice.undo && (
        <button ref={undo} type="button" className="button small" onClick={notice.undo}>
          Undo
        </button>
      )}
      <button type="button" className="button quiet small" onClick={onDone}>
        Dismiss
      </button>
    </div>
  );
}
