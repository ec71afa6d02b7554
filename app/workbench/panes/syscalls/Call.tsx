// Call. One call as a line: when, what, and what the kernel answered. A colour, a sign and the words of the result tell its
// state.
import type { ReactNode } from "react";
import {
  type CallRecord,
  longTime,
  notation,
  resultNotation,
  visible,
} from "../../../../server-labs/protocol.ts";
import type { CallList, RunView } from "../../../labs.ts";
import { roundedDuration } from "../../format.ts";
import { placeOf, revealCall } from "../../view.ts";
import { compact } from "./compact.ts";
import { insideWords } from "./inside-words.ts";
import { Name, Pieces, Word } from "./Pieces.tsx";

const signs = { ready: "", waiting: "~", failed: "!" };

interface Props {
  call: CallRecord;
  program: RunView;
  calls: CallList;
}

export function CallCells({ call, program, calls }: Props) {
  return (
    <>
      <span className="syscall-time">{(call.at / 1000).toFixed(3)}</span>
      <span className="syscall-call" title={notation(call)}>
        <Name name={call.call} />(<Pieces pieces={compact(call).args} />)
      </span>
      <TaskOf call={call} />
      <CallResult call={call}>
        {call.took === null ? <Inside {...{ call, program, calls }} /> : <CallAnswer call={call} />}
        {call.took !== null && isAfter(call, program) && <b className="syscall-stop"> paused after</b>}
      </CallResult>
      <TimeOf call={call} />
      <LineOf call={call} />
    </>
  );
}

/** The task that made it, where the program has tasks. */
function TaskOf({ call: { task } }: { call: CallRecord }) {
  if (!task) return null;
  return (
    <span className="syscall-task" title={`Made by task ${task.id}: filter with task:${task.id}`}>
      {visible(task.name)}
    </span>
  );
}

/** How long it was in the kernel, if a person could see that. */
export function TimeOf({ call }: { call: CallRecord }) {
  const time = longTime(call);
  return (
    <span className="syscall-took" title={time && `${time} in the kernel`}>
      {time}
    </span>
  );
}

const isAfter = (call: CallRecord, { live, pace }: RunView) =>
  live && pace?.state === "stopped" && pace.stop?.n === call.n;

export function CallResult({ call, children }: { call: CallRecord; children: ReactNode }) {
  // In a flood not every call is timed.
  const timed = call.took ? ` · ${took(call.took)}` : "";
  const title = call.took === null ? notation(call) : `${resultNotation(call)}${timed}`;
  return (
    <span className={`syscall-result ${call.state}`} title={title}>
      <i title={call.state}>{signs[call.state]}</i>
      {call.took !== null && "= "}
      {children}
    </span>
  );
}

/** What the kernel answered; where there is little room, the hint is left to the tooltip. */
export function CallAnswer({ call }: { call: CallRecord }) {
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

/** The line that made it; of a file that is not the one that starts with its name. */
export function LineOf({ call }: { call: CallRecord }) {
  const { line, file } = call;
  if (line === null) return <span className="syscall-line" />;
  const show = (event: { stopPropagation(): void }) => {
    event.stopPropagation();
    revealCall(call);
  };
  const place = placeOf(call);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on the row does the same.
    // biome-ignore lint/a11y/noStaticElementInteractions: as above.
    <span className="syscall-line known" title={`Show ${place}`} onClick={show}>
      {file !== undefined && <span className="syscall-file">{visible(file)}</span>}:{line}
    </span>
  );
}

/** A call that has not returned: the program sleeps in it, and the time it has slept is the news. */
function Inside({ call, program, calls }: Props) {
  const { pace, live } = program;
  if (live && pace?.state === "stopped" && pace.stop?.n === call.n)
    return <b className="syscall-stop">paused before</b>;
  return <span>{insideWords(call, calls, live, pace?.mode === "slow" ? pace.delayMs : 0)}</span>;
}

const took = (microseconds: number) =>
  microseconds < 1000
    ? `${microseconds.toFixed(1)} µs in the kernel`
    : `${roundedDuration(microseconds / 1000)} in the kernel`;
