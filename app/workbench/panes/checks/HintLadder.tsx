// Hint ladder. One hint at a time, the gentlest first. A hint that was shown stays.
import type { Root } from "hast";
import { type ReactNode, useState } from "react";
import { local } from "../../../storage.ts";

interface Props {
  lab: string;
  check: string;
  hints: Root[];
  renderHint(hint: Root): ReactNode;
}

export function HintLadder({ lab, check, hints, renderHint }: Props) {
  const key = `workbook.hints.${lab}.${check}`;
  const [shown, setShown] = useState(() => Number(local.get(key)) || 0);
  if (hints.length === 0) return null;
  const show = () => {
    local.set(key, String(shown + 1));
    setShown(shown + 1);
  };
  return (
    <div className="hints">
      {hints.slice(0, shown).map((hint, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a rung is its place on the ladder.
        <div className="hint" key={index}>
          <span className="hint-number">
            Hint {index + 1} of {hints.length}
          </span>
          {renderHint(hint)}
        </div>
      ))}
      {shown < hints.length && (
        <button type="button" className="button small" onClick={show}>
          {shown === 0 ? "Show a hint" : "Show the next hint"}
          <span className="dim">
            {" "}
            ({shown + 1} of {hints.length})
          </span>
        </button>
      )}
    </div>
  );
}
