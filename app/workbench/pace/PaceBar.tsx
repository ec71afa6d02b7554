// How fast the program goes, and where it waits: a bar that belongs to the run, over every pane.
import type { RunView } from "../../labs.ts";
import { Breakpoints } from "./Breakpoints.tsx";
import { commandsOf, type Driving, goesOn, setSpeed, takeOver, useDriving, useSpeed } from "./driving.ts";
import { usePaceWords } from "./stop-words.ts";

export function PaceBar({ program }: { program: RunView }) {
  if (program.live) return <Controls program={program} />;
  // How it was paced is history, but for one that never came to go on.
  if (program.pace === null || !program.exited || !/^ended /.test(program.pace.sentence)) return null;
  return (
    <div className="pace dimmed">
      <p>The program {program.pace.sentence}.</p>
    </div>
  );
}

function Controls({ program }: { program: RunView }) {
  const driving = useDriving(program);
  const { pace, cannot } = driving;
  const commands = commandsOf(program);
  const dim = pace.mode === "full" && pace.state === "going";
  // Said to who cannot press, where there is no better place for it.
  const title = (what: string) => (cannot === null ? what : cannot);
  return (
    <div className={`pace ${dim ? "dimmed" : pace.state}`} role="toolbar" aria-label="Pace of the program">
      <button
        type="button"
        className="button small pace-go"
        disabled={cannot !== null}
        onClick={commands.toggle}
        title={title(goesOn(pace) ? "Stop before the next call (F8)" : "Go on at full speed (F8)")}
      >
        {goesOn(pace) ? "Pause" : "Continue"}
        <Key name="F8" />
      </button>
      <button
        type="button"
        className="button small"
        disabled={cannot !== null}
        onClick={() => commands.step("boundary")}
        title={title("To the next boundary: before a call, or after it (F9)")}
      >
        Step
        <Key name="F9" />
      </button>
      <button
        type="button"
        className="button small"
        disabled={cannot !== null}
        onClick={() => commands.step("call")}
        title={title("To before the next call (F10)")}
      >
        Next call
        <Key name="F10" />
      </button>
      <Speed program={program} driving={driving} />
      <Breakpoints program={program} driving={driving} />
      <Where program={program} driving={driving} />
    </div>
  );
}

const delays = [50, 100, 200, 500, 1000, 2000, 5000];

function Speed({ program, driving: { cannot } }: { program: RunView; driving: Driving }) {
  const now = useSpeed(program);
  // A shell may have set another.
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

/** In words, for eye and ear: where it stands, and who else has the wheel. */
function Where({ program, driving: { pace, cannot, other } }: { program: RunView; driving: Driving }) {
  const state = { going: "", stopping: "waiting", stopped: "waiting" }[pace.state];
  // With the lab server away, nobody knows.
  const words = usePaceWords(program, pace);
  const unknown = cannot !== null && other === null;
  const sentence = unknown ? cannot : words;
  return (
    <div className="pace-where">
      <p className={state} role="status" title={unknown ? cannot : pace.sentence}>
        {pace.state !== "going" && <i aria-hidden="true">{pace.state === "stopped" ? "‖ " : "~ "}</i>}
        {sentence}
      </p>
      {other !== null && program.live && (
        <p className="pace-other">
          {other.startsWith("page") ? "another tab" : other} drives ·{" "}
          <button type="button" className="link" onClick={() => takeOver(program)} title={cannot ?? ""}>
            Take over
          </button>
        </p>
      )}
    </div>
  );
}

/** For the eye: the button's name stays its word. */
const Key = ({ name }: { name: string }) => (
  <span className="key" aria-hidden="true">
    {name}
  </span>
);
