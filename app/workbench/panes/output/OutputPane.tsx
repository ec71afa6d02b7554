// Output pane. Before the first run it says what to do, after a refusal why and how to go on; else it has the terminal.
import { Suspense, useMemo, useRef, useState } from "react";
import { count, firstCommand, visible } from "../../../../server-labs/protocol.ts";
import { keyNames } from "../../../keys.ts";
import type { RunView } from "../../../labs.ts";
import { local } from "../../../storage.ts";
import { Boundary } from "../../../ui/Boundary.tsx";
import { CopyLine, useCopy } from "../../../ui/Copy.tsx";
import { reloadable } from "../../../ui/reloadable.ts";
import { bytesInWords } from "../../format.ts";
import type { WorkbenchLab } from "../../lab.ts";
import type { PaneProps } from "../../pane.ts";
import type { OutputFacts, TerminalHandle } from "../../terminal.ts";
import { revealLine } from "../../view.ts";
import { RefusedRun } from "./RefusedRun.tsx";

/** Loaded on the first run, or before it when the browser is idle. */
const Terminal = reloadable(() => import("../../terminal.ts"));
const idle = window.requestIdleCallback ?? (soon => setTimeout(soon, 1000));
idle(() => Terminal.load().catch(() => {})); // the pane's boundary shows the failure

export default function OutputPane({ lab, program, actions }: PaneProps) {
  if (!program) {
    return (
      <div className="pane-state">
        <p>Nothing has run yet.</p>
        <p className="dim">
          Press <kbd>{keyNames.run}</kbd>, then{" "}
          {lab.http
            ? "ask it from any shell, or open the address in another tab:"
            : "send it a line from any shell:"}
        </p>
        <CopyLine text={firstCommand(lab.port, lab.http)} />
      </div>
    );
  }
  if (program.refused) return <RefusedRun refused={program.refused} actions={actions} />;
  return <Shown lab={lab} program={program} />;
}

const rememberedAs = "workbook.screen-reader";

function Shown({ lab, program }: { lab: WorkbenchLab; program: RunView }) {
  const terminal = useRef<TerminalHandle>(null);
  const [screenReader, setScreenReader] = useState(() => local.get(rememberedAs) === "on");
  const [facts, setFacts] = useState<OutputFacts | null>(null);
  const names = [lab.file, ...Object.keys(program.modules)].join("\n");
  const files = useMemo(() => names.split("\n"), [names]);
  const { outcome, copy } = useCopy();
  const toggle = () => {
    local.set(rememberedAs, screenReader ? "off" : "on");
    setScreenReader(!screenReader);
  };
  return (
    <div className="output">
      <Boundary pane name="The terminal" onRetry={Terminal.reset}>
        <Suspense fallback={<p className="pane-state dim">Loading the terminal…</p>}>
          <Terminal.Component
            ref={terminal}
            lab={lab.id}
            files={files}
            label={`Output of ${lab.file}, read only. Arrow keys scroll.`}
            screenReader={screenReader}
            onFacts={setFacts}
          />
        </Suspense>
      </Boundary>
      {facts?.omitted && (
        <p className="output-omitted" role="status">
          In this run {bytesInWords(facts.omitted.bytes)} ({count(facts.omitted.lines, "line")}) were not
          shown.
        </p>
      )}
      {facts?.full && (
        <p className="output-omitted" role="status">
          The screen keeps the newest 5,000 lines; “copy all” copies what else is kept.
        </p>
      )}
      <div className="output-tools">
        {facts?.place && <ShowPlace {...facts.place} />}
        <button type="button" onClick={() => void terminal.current?.text().then(text => copy(text))}>
          {outcome === "copied" ? "copied" : "copy all"}
        </button>
        <button type="button" aria-pressed={screenReader} onClick={toggle}>
          screen reader
        </button>
      </div>
    </div>
  );
}

/** The link of the newest stack trace, for a keyboard. */
function ShowPlace({ file, line, column }: NonNullable<OutputFacts["place"]>) {
  return (
    <button type="button" onClick={() => revealLine(line, { column, file })}>
      Show {visible(file)}:{line}
    </button>
  );
}
