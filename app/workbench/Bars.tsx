// What the reader must know now, between the bar and the editor: a choice between two texts, a reset that can be
// undone, a thing that could not be done.
import type { Draft } from "../drafts.ts";
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

export function Bars({ lab, draft, problem, replaced, onReplaced }: Props) {
  const conflict = useDraftState(draft, state => state.conflict !== null);
  const canUndo = useDraftState(draft, state => state.setAside !== null);
  const take = async (which: "mine" | "theirs") => {
    await draft?.choose(which);
    onReplaced(
      which === "mine"
        ? "Your text is kept; the other version is set aside."
        : "The file's text is shown; yours is set aside.",
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
        <div className="bench-bar" role="status">
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
