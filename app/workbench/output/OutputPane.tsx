// What the program says. Before a run: what to do; a run that was refused: why, and the way out; else the terminal.
import { Suspense, useRef, useState } from "react";
import type { RunView } from "../../labs.ts";
import { againLazy } from "../again-lazy.tsx";
import { CopyLine, useCopy } from "../CopyLine.tsx";
import { keyNames } from "../keys.ts";
import type { Actions, WorkbenchLab } from "../lab.ts";
import { remember, remembered } from "../remember.ts";
import type { TerminalHandle } from "../terminal/Terminal.tsx";
import { bytesInWords, count } from "../words.ts";
import { Refused } from "./Refused.tsx";

/** Loaded on the first run, or before it when the page has nothing else to do. */
export const Terminal = againLazy(() => import("../terminal/Terminal.tsx"));

export function OutputPane({
  lab,
  program,
  actions,
}: {
  lab: WorkbenchLab;
  program: RunView | null;
  actions: Actions;
}) {
  if (!program) {
    return (
      <div className="pane-state">
        <p>Nothing has run yet.</p>
        <p className="dim">
          Press <kbd>{keyNames.run}</kbd>, then ask it from any shell, or open the address in another tab:
        </p>
        <CopyLine text={`curl -i http://127.0.0.1:${lab.port}/`} />
      </div>
    );
  }
  if (program.refused) return <Refused refused={program.refused} actions={actions} />;
  return <Shown lab={lab} />;
}

const rememberedAs = "workbook.screen-reader";

function Shown({ lab }: { lab: WorkbenchLab }) {
  const terminal = useRef<TerminalHandle>(null);
  const [screenReader, setScreenReader] = useState(() => remembered(rememberedAs) === "on");
  const [omitted, setOmitted] = useState<{ bytes: number; lines: number } | null>(null);
  const { copied, copy } = useCopy();
  const toggle = () => {
    remember(rememberedAs, screenReader ? "off" : "on");
    setScreenReader(!screenReader);
  };
  return (
    <div className="output">
      <Suspense fallback={<p className="pane-state dim">Loading the terminal…</p>}>
        <Terminal.Component
          ref={terminal}
          lab={lab.id}
          label={`Output of ${lab.file}, read only. Arrow keys scroll.`}
          screenReader={screenReader}
          onOmitted={setOmitted}
        />
      </Suspense>
      {omitted && (
        <p className="output-omitted" role="status">
          In this run {bytesInWords(omitted.bytes)} ({count(omitted.lines, "line")}) were not shown.
        </p>
      )}
      <div className="output-tools">
        <button type="button" onClick={() => void copy(terminal.current?.text() ?? "")}>
          {copied ? "copied" : "copy all"}
        </button>
        <button type="button" aria-pressed={screenReader} onClick={toggle}>
          screen reader
        </button>
      </div>
    </div>
  );
}
