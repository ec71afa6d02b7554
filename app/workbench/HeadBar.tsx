// Head bar. Over the editor: the file, whether it is saved, the run's state, and the buttons.
import { Button } from "@base-ui/react/button";
import { type ReactNode, useRef } from "react";
import { useStore } from "zustand";
import { sentence } from "../../server-labs/protocol.ts";
import type { Draft } from "../drafts.ts";
import { keyNames } from "../keys.ts";
import { labs, type RunView } from "../labs.ts";
import { Clipped } from "../ui/Clipped.tsx";
import { Steady } from "../ui/Steady.tsx";
import { type Actions, useDraftState } from "./lab.ts";
import { useDriving } from "./pace/driving.ts";
import { paceSign } from "./pace/PaceBar.tsx";
import { usePaceWords } from "./pace/stop-words.ts";
import { ClientsMenu } from "./panes/clients.ts";
import { isPaceRow, view } from "./view.ts";

interface Props {
  /** Of the file that is open. */
  draft: Draft | null;
  /** The text on screen is not the text that runs. */
  edited: boolean;
  program: RunView | null;
  check: RunView | null;
  /** The request that the lab server has not answered yet. */
  asked: "run" | "check" | "stop" | null;
  actions: Actions;
  /** The name of the file that is open, and what follows it. */
  file: string;
  more: ReactNode;
  /** Null where there is no starter to put back. */
  onReset: (() => void) | null;
}

export function HeadBar(props: Props) {
  const { file, more, draft, edited, program, check, asked, actions, onReset } = props;
  return (
    <header className="bench-head">
      <div className="bench-file">
        <span className="bench-file-name">{file}</span>
        {more}
        <Saved draft={draft} />
      </div>
      <RunState edited={edited} program={program} asked={asked} />
      <div className="bench-buttons">
        <button
          type="button"
          className="button quiet"
          onClick={onReset ?? undefined}
          disabled={onReset === null}
          title="Put the starter back; your text is kept"
        >
          Reset
        </button>
        <button
          type="button"
          className="button"
          onClick={() => actions.check()}
          disabled={check?.live || asked === "check"}
          title={`Attack the server with real clients (${keyNames.check})`}
        >
          Check
        </button>
        <ClientsMenu program={program} />
        <RunButtons {...{ edited, program, asked, actions }} />
      </div>
    </header>
  );
}

function RunButtons({
  edited,
  program,
  asked,
  actions,
}: Pick<Props, "edited" | "program" | "asked" | "actions">) {
  const live = program?.live ?? false;
  const primary = useRef<HTMLDivElement>(null);
  // Of a double click on one of the four the second half comes to another one, and means the first.
  const once = (action: () => void) => (event: { detail: number }) => {
    if (event.detail < 2) action();
  };
  const runPaused = () => {
    actions.run({ pace: { mode: "paused" } });
    primary.current?.focus(); // what is under the finger becomes "Run again"
  };
  return (
    <>
      {live ? (
        <button
          type="button"
          className="button quiet"
          data-wanted={edited || undefined}
          onClick={once(() => actions.run())}
          disabled={asked === "run"}
          title={`End this run, and run the text on screen (${keyNames.run})`}
        >
          <Steady word="Run again" other="Run paused" />
        </button>
      ) : (
        <button
          type="button"
          className="button quiet"
          onClick={once(runPaused)}
          disabled={asked === "run"}
          title="Run it, stopped before its first call, to be stepped from there"
        >
          <Steady word="Run paused" other="Run again" />
        </button>
      )}
      {/* Run and Stop are one button, so that it keeps the focus. It is no <button>: browsers restyle one when it is let
          go (button:active), which is a frame, and the next one, with a program's first words, came a sixtieth of a
          second after it. */}
      <Button
        ref={primary}
        nativeButton={false}
        render={<div />}
        className="button primary"
        onClick={({ detail }) => {
          if (!live) actions.run();
          else if (detail < 2) actions.stop(); // of a double click on Run the second half means Run
        }}
        disabled={live ? program?.state === "stopping" : asked === "run"}
      >
        <Steady word={live ? "Stop" : "Run"} other={live ? "Run" : "Stop"} />
        <span className="key" aria-hidden="true">
          <Steady word={live ? keyNames.stop : keyNames.run} other={live ? keyNames.run : keyNames.stop} />
        </span>
      </Button>
    </>
  );
}

function Saved({ draft }: { draft: Draft | null }) {
  const status = useDraftState(draft, state => state.status);
  const problem = useDraftState(draft, state => state.problem);
  const loaded = useDraftState(draft, state => state.loaded);
  const words = {
    saved: "saved",
    edited: "edited",
    saving: "saving…",
    conflict: "changed outside",
    unsaved: `not saved: ${problem ?? "the lab server did not answer."}`,
  };
  const said = loaded ? words[status] : "loading…";
  return (
    <span className={`bench-saved ${status}`} data-saved={status}>
      <Clipped text={said} />
    </span>
  );
}

const colours: Record<RunView["state"], string> = {
  starting: "waiting",
  running: "ready",
  listening: "ready",
  stopping: "waiting",
  exited: "",
  refused: "failed",
};

function RunState({ edited, program, asked }: Pick<Props, "edited" | "program" | "asked">) {
  const failed = program?.exited && !program.exited.stopped && program.exited.code !== 0;
  // While the lab server is away the page shows the last state that it knew.
  const isStale = useStore(labs.store, state => state.connection !== "ready") && (program?.live ?? false);
  const said = asked === "run" ? "starting" : program ? shortState(program) : "not running";
  const waits = asked === "run" || isStale;
  const colour = waits ? "waiting" : failed ? "failed" : program ? colours[program.state] : "";
  return (
    <div className="bench-state">
      <p role="status">
        <span className="bench-said">
          <i className={`dot ${colour}`} aria-hidden="true" />
          <Clipped text={isStale ? `was ${said}` : said} />
        </span>
        {edited && asked !== "run" && <span className="bench-edited">edited since Run</span>}
      </p>
      {program && <PaceWords program={program} />}
    </div>
  );
}

/** Where the program waits. The pace bar tells a screen reader of each change. */
function PaceWords({ program }: { program: RunView }) {
  const { pace } = useDriving(program);
  const words = usePaceWords(program, pace);
  // The pace of a program that has ended is history, unless the program ended while it was paused.
  const hasEnded = !program.live && program.exited !== null && pace.state === "ended";
  const isElsewhere = useStore(view, isPaceRow);
  const isUsual = pace.mode === "full" && pace.state === "going";
  if (!hasEnded && (!program.live || isElsewhere || isUsual)) return null;
  const waits = pace.state === "stopped" || pace.state === "stopping";
  return (
    <p className={`bench-pace ${waits ? "waiting" : ""}`}>
      <Clipped text={hasEnded ? `The program ${words}.` : `${paceSign(pace)}${words}`} />
    </p>
  );
}

/** Output shows the whole refusal; here it is only named. */
const shortState = (program: RunView) => (program.refused ? "did not start" : sentence(program.statement));
