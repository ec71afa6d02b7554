// A call as a line: when, what, and what the kernel answered. Its state is told by colour, by a sign and by the words of
// the result.
import { memo, type ReactNode, useEffect, useState } from "react";
import type { Syscall } from "../../../server-labs/protocol.ts";
import type { RunView } from "../../labs.ts";
import { revealLine } from "../view.ts";
import { duration } from "../words.ts";
import { compact, inStrace } from "./compact.ts";
import { Name, Pieces, Word } from "./Pieces.tsx";

const signs = { ready: "", waiting: "~", failed: "!" };

export function Call({ call, program }: { call: Syscall; program: RunView }) {
  return (
    <>
      <span className="syscall-time">{(call.at / 1000).toFixed(3)}</span>
      <span className="syscall-call" title={inStrace(call)}>
        <Name name={call.name} />(<Pieces pieces={compact(call).args} />)
      </span>
      <Result call={call}>
        {call.took === null ? <Inside call={call} program={program} /> : <Answer call={call} />}
        {call.took !== null && isAfter(call, program) && <b className="syscall-stop"> paused after</b>}
      </Result>
      <LineOf line={call.line} />
    </>
  );
}

const isAfter = (call: Syscall, { live, pace }: RunView) =>
  live && pace?.state === "stopped" && pace.stop?.n === call.n;

export function Result({ call, children }: { call: Syscall; children: ReactNode }) {
  // In a flood not every call is timed.
  const timed = call.took ? ` · ${took(call.took)}` : "";
  const title = call.took === null ? inStrace(call) : `${call.result}${timed}`;
  return (
    <span className={`syscall-result ${call.state}`} title={title}>
      <i title={call.state}>{signs[call.state]}</i>
      {call.took !== null && "= "}
      {children}
    </span>
  );
}

/** What the kernel answered; where there is little room, the hint is left to the tooltip. */
export function Answer({ call }: { call: Syscall }) {
  const { result, hint } = compact(call);
  return (
    <>
      {call.errno ? (
        <>
          -1 <Word word={call.errno} />
        </>
      ) : (
        <Pieces pieces={result} />
      )}
      {hint !== "" && <span className="syscall-hint">{hint}</span>}
    </>
  );
}

export function LineOf({ line }: { line: number | null }) {
  if (line === null) return <span className="syscall-line" />;
  const show = (event: { stopPropagation(): void }) => {
    event.stopPropagation();
    revealLine(line);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on the row does the same.
    // biome-ignore lint/a11y/noStaticElementInteractions: as above.
    <span className="syscall-line known" title={`Show line ${line}`} onClick={show}>
      :{line}
    </span>
  );
}

/** A call that has not returned: the program sleeps in it, and the time it has slept is the news. */
function Inside({ call, program }: { call: Syscall; program: RunView }) {
  if (!program.live) return <span>…never returned: the program had ended</span>;
  const { pace, began } = program;
  if (pace?.state === "stopped" && pace.stop?.n === call.n)
    return <b className="syscall-stop">paused before</b>;
  return <Asleep since={began + call.at} held={pace?.mode === "slow" ? pace.delayMs : 0} />;
}

/** @param held milliseconds that slow motion waits before it is called at all */
const Asleep = memo(function Asleep({ since, held }: { since: number; held: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, []);
  const slept = now - since - held;
  if (held > 0 && slept < 0) return <span>…waits, in slow motion</span>;
  return <span>…asleep {duration(Math.max(0, slept))}</span>;
});

const took = (microseconds: number) =>
  microseconds < 1000
    ? `${microseconds.toFixed(1)} µs in the kernel`
    : `${duration(microseconds / 1000)} in the kernel`;
