// The bar over the editor: which file, whether it is saved, how the run stands, and what there is to press.
import { Button } from "@base-ui/react/button";
import { useRef } from "react";
import { useStore } from "zustand";
import type { Draft } from "../drafts.ts";
import { labs, type RunView } from "../labs.ts";
import { ClientsMenu } from "./clients/ClientsMenu.tsx";
import { keyNames } from "./keys.ts";
import { type Actions, useDraftState, type WorkbenchLab } from "./lab.ts";

interface Props {
  lab: WorkbenchLab;
  draft: Draft | null;
  program: RunView | null;
  check: RunView | null;
  /** What was asked of the lab server and is not answered yet. */
  asked: "run" | "check" | "stop" | null;
  actions: Actions;
  onReset(): void;
}

export function HeadBar({ lab, draft, program, check, asked, actions, onReset }: Props) {
  const live = program?.live ?? false;
  const primary = useRef<HTMLDivElement>(null);
  return (
    <header className="bench-head">
      <div className="bench-file">
        <span className="bench-file-name">{lab.file}</span>
        <Saved draft={draft} />
      </div>
      <RunState program={program} asked={asked} />
      <div className="bench-buttons">
        <button
          type="button"
          className="button quiet"
          onClick={onReset}
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
        {!live && (
          <button
            type="button"
            className="button quiet"
            onClick={() => {
              actions.run({ pace: { mode: "paused" } });
              primary.current?.focus(); // this one goes away
            }}
            disabled={asked === "run"}
            title="Run it, stopped before its first call, to be stepped from there"
          >
            Run paused
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
          {live ? "Stop" : "Run"}
          <Key name={live ? keyNames.stop : keyNames.run} />
        </Button>
      </div>
    </header>
  );
}

function Saved({ draft }: { draft: Draft | null }) {
  const saved = useDraftState(draft, state => state.saved);
  const problem = useDraftState(draft, state => state.problem);
  const loaded = useDraftState(draft, state => state.loaded);
  const words = {
    saved: "saved",
    edited: "edited",
    saving: "saving…",
    conflict: "changed outside",
    unsaved: `not saved: ${problem ?? "the lab server did not answer."}`,
  };
  const said = loaded ? words[saved] : "loading…";
  return (
    <span className={`bench-saved ${saved}`} title={said} data-saved={saved}>
      {said}
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

function RunState({ program, asked }: { program: RunView | null; asked: Props["asked"] }) {
  const failed = program?.exited && !program.exited.stopped && program.exited.code !== 0;
  // With the lab server away nobody knows how the run stands: what is said then is how it stood.
  const stood = useStore(labs.store, state => state.connection !== "ready") && (program?.live ?? false);
  const said = asked === "run" ? "starting" : program ? firstSentence(program) : "not running";
  const waits = asked === "run" || stood;
  const colour = waits ? "waiting" : failed ? "failed" : program ? colours[program.state] : "";
  return (
    <p className="bench-state" role="status" title={program?.sentence}>
      <i className={`dot ${colour}`} aria-hidden="true" />
      <span>{stood ? `was ${said}` : said}</span>
    </p>
  );
}

/** A refusal is told whole in Output; here it is only named. */
const firstSentence = (program: RunView) => (program.refused ? "did not start" : program.sentence);

/** For the eye: the button's name stays its word. */
const Key = ({ name }: { name: string }) => (
  <span className="key" aria-hidden="true">
    {name}
  </span>
);
