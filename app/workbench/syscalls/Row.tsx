// One row: a call in strace's notation, or what was counted instead of shown. Its state is told by colour, by a
// sign and by the words of the result.
import { memo, useEffect, useState } from "react";
import type { Syscall } from "../../../server-labs/protocol.ts";
import type { CallRow, RunView } from "../../labs.ts";
import { revealLine } from "../view.ts";
import { count, duration, number } from "../words.ts";

interface Props {
  id: string;
  row: CallRow | undefined;
  /** Pixels from the top of the list. */
  top: number;
  /** Its place among all rows of the run, from 0. */
  place: number;
  current: boolean;
  program: RunView;
  onChoose(): void;
}

const signs = { ready: "", waiting: "~", failed: "!" };

export function Row({ id, row, top, place, current, program, onChoose }: Props) {
  if (!row) return null;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list itself has the keys.
    <div
      className="syscall"
      role="option"
      tabIndex={-1}
      id={id}
      aria-selected={current}
      aria-posinset={place + 1}
      aria-setsize={-1}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onChoose}
    >
      {row.type === "call" ? <Call call={row.call} program={program} /> : <Left row={row} />}
    </div>
  );
}

function Call({ call, program }: { call: Syscall; program: RunView }) {
  const whole = `${call.name}(${call.args})`;
  const { line } = call;
  return (
    <>
      <span className="syscall-time">{(call.at / 1000).toFixed(3)}</span>
      <span className="syscall-call" title={whole}>
        <b>{call.name}</b>({call.args})
      </span>
      <span className={`syscall-result ${call.state}`}>
        <i title={call.state}>{signs[call.state]}</i>
        {"= "}
        {call.took === null ? (
          <Inside call={call} program={program} />
        ) : (
          <Result text={call.result} title={`${call.result} · ${took(call.took)}`} />
        )}
      </span>
      {line !== null && (
        // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on the row does the same.
        // biome-ignore lint/a11y/noStaticElementInteractions: as above.
        <span className="syscall-line" title={`Show line ${line}`} onClick={() => revealLine(line)}>
          :{line}
        </span>
      )}
    </>
  );
}

/** "-1 EAGAIN (would block)": where there is little room, what is in parentheses is left to the tooltip. */
function Result({ text, title }: { text: string; title: string }) {
  const hint = text.indexOf(" (");
  return (
    <span title={title}>
      {hint < 0 ? text : text.slice(0, hint)}
      {hint >= 0 && <span className="syscall-hint">{text.slice(hint)}</span>}
    </span>
  );
}

/** A call that has not returned: the program sleeps in it, and the time it has slept is the news. */
function Inside({ call, program }: { call: Syscall; program: RunView }) {
  if (!program.live) return <span>…never returned: the program had ended</span>;
  return <Asleep since={program.began + call.at} />;
}

const Asleep = memo(function Asleep({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return <span>…asleep {duration(Math.max(0, now - since))}</span>;
});

function Left({ row }: { row: Exclude<CallRow, { type: "call" }> }) {
  if (row.type === "gap") {
    return (
      <span className="syscall-left">… {count(row.calls, "call")} before this are no longer kept …</span>
    );
  }
  const names = Object.entries(row.byName)
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `${name} ×${number(times)}`)
    .join(", ");
  const sentence = `… ${count(row.count, "call")} not shown one by one: ${names} …`;
  return (
    <span className="syscall-left" title={sentence}>
      {sentence}
    </span>
  );
}

const took = (microseconds: number) =>
  microseconds < 1000
    ? `${microseconds.toFixed(1)} µs in the kernel`
    : `${duration(microseconds / 1000)} in the kernel`;
