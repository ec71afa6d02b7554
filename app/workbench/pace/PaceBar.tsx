// Pace bar. In the panes' bar: how fast the program goes, and the buttons that drive it. The head bar has where it waits.
import { useStore } from "zustand";
import { shellDriver } from "../../../server-labs/protocol.ts";
import { keyNames } from "../../keys.ts";
import type { RunView } from "../../labs.ts";
import { Clipped } from "../../ui/Clipped.tsx";
import { KeyCap } from "../../ui/KeyCap.tsx";
import { Steady } from "../../ui/Steady.tsx";
import { isPaceRow, view } from "../view.ts";
import { Breakpoints } from "./Breakpoints.tsx";
import { commandsOf, type Driving, goesOn, setSpeed, takeOver, useDriving, useSpeed } from "./driving.ts";
import { usePaceWords } from "./stop-words.ts";

/** Its room is kept while nothing runs, so that a run does not move what is beside it. */
export function PaceBar({ program }: { program: RunView | null }) {
  if (program?.live) return <Controls program={program} />;
  return (
    <div className="pace">
      <p className="pace-idle">While a program runs, it is paused and stepped here.</p>
    </div>
  );
}

function Controls({ program }: { program: RunView }) {
  const driving = useDriving(program);
  const { pace, cannot, other } = driving;
  const commands = commandsOf(program);
  const dim = pace.mode === "full" && pace.state === "going";
  const title = (what: string) => (cannot === null ? what : cannot);
  return (
    <div className={`pace ${dim ? "dimmed" : pace.state}`} role="toolbar" aria-label="Pace of the program">
      <button
        type="button"
        className="button small pace-go"
        disabled={cannot !== null}
        onClick={commands.toggle}
        title={title(
          `${goesOn(pace) ? "Stop before the next call" : "Go on at full speed"} (${keyNames.pause})`,
        )}
      >
        {goesOn(pace) ? <Steady word="Pause" other="Continue" /> : <Steady word="Continue" other="Pause" />}
        <KeyCap name={keyNames.pause} />
      </button>
      <button
        type="button"
        className="button small"
        disabled={cannot !== null}
        onClick={() => commands.step("boundary")}
        title={title(`To the next boundary: before a call, or after it (${keyNames.step})`)}
      >
        Step
        <KeyCap name={keyNames.step} />
      </button>
      <button
        type="button"
        className="button small"
        disabled={cannot !== null}
        onClick={() => commands.step("call")}
        title={title(`To before the next call (${keyNames.nextCall})`)}
      >
        Next call
        <KeyCap name={keyNames.nextCall} />
      </button>
      {other === null ? (
        <>
          <Speed program={program} driving={driving} />
          <Breakpoints program={program} driving={driving} />
        </>
      ) : (
        <p className="pace-other">
          {other === shellDriver ? other : "another tab"} drives ·{" "}
          <button type="button" className="link" onClick={() => takeOver(program)} title={cannot ?? ""}>
            Take over
          </button>
        </p>
      )}
      <Heard program={program} driving={driving} />
    </div>
  );
}

/** The pace in words, for a screen reader; the eye has them in the head bar, where this one has no row for them. */
function Heard({ program, driving: { pace, cannot, other } }: { program: RunView; driving: Driving }) {
  const words = usePaceWords(program, pace);
  const isUsual = pace.mode === "full" && pace.state === "going";
  const isShown = useStore(view, isPaceRow) && other === null && !isUsual;
  // While the lab server is away, or the program is being stopped, it is said why it cannot be paced.
  const text = (other === null ? cannot : null) ?? words;
  const waits = pace.state === "stopped" || pace.state === "stopping";
  return (
    <p className={isShown ? `pace-words ${waits ? "waiting" : ""}` : "sr"} role="status">
      {isShown ? <Clipped text={`${paceSign(pace)}${text}`} /> : text}
    </p>
  );
}

/** Tells by more than a colour that the program waits, or will. */
export const paceSign = ({ state }: Driving["pace"]): string =>
  state === "stopped" ? "‖ " : state === "stopping" ? "~ " : "";

const delays = [50, 100, 200, 500, 1000, 2000, 5000];

function Speed({ program, driving: { cannot } }: { program: RunView; driving: Driving }) {
  const now = useSpeed(program);
  // A shell may have set another speed.
  const all = now === 0 || delays.includes(now) ? delays : [...delays, now].sort((a, b) => a - b);
  return (
    <label className="pace-speed" title={cannot ?? "Slow motion waits before each call; clients do not wait"}>
      <select
        aria-label="Speed"
        value={now}
        disabled={cannot !== null}
        onChange={event => setSpeed(program, Number(event.target.value))}
      >
        <option value={0}>full speed</option>
        {all.map(ms => (
          <option key={ms} value={ms}>
            {ms < 1000 ? `${ms} ms` : `${ms / 1000} s`} a call
          </option>
        ))}
      </select>
    </label>
  );
}
