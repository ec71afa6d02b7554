// Folded calls. Calls that repeat as one line: the call with its count, or the turn of a loop with the number of turns.
import { type CallRecord, notation } from "../../../../server-labs/protocol.ts";
import { number } from "../../format.ts";
import { CallAnswer, CallResult, LineOf, TimeOf } from "./Call.tsx";
import { compact } from "./compact.ts";
import { type Fold, type Folds, rowsOf } from "./fold.ts";
import { Name, Pieces } from "./Pieces.tsx";

/** The calls of its newest turn. */
function turnOf({ first, period, turns }: Fold, folds: Folds): CallRecord[] {
  const last = first + period * (turns - 1);
  return Array.from({ length: period }, (_, i) => folds.row(last + i)).flatMap(row =>
    row?.type === "call" ? [row.call] : [],
  );
}

export function Folded({ fold, folds, open }: { fold: Fold; folds: Folds; open: boolean }) {
  const calls = turnOf(fold, folds);
  const [call] = calls;
  if (!call) return null;
  const first = folds.row(fold.first);
  const at = first?.type === "call" ? first.call.at : call.at;
  const times = fold.period === 1 ? `×${number(rowsOf(fold))}` : `×${number(fold.turns)} turns`;
  const title = `${calls.map(notation).join("\n")}\n${times}${open ? "" : " · click to unfold"}`;
  return (
    <>
      <i className="syscall-fold" aria-hidden="true">
        {open ? "▾" : "▸"}
      </i>
      <span className="syscall-time">{(at / 1000).toFixed(3)}</span>
      <span className="syscall-call" title={title}>
        {fold.period === 1 ? <One call={call} /> : <Turn calls={calls} />}
      </span>
      {fold.period === 1 ? (
        <CallResult call={call}>
          <CallAnswer call={call} />
          <b className="syscall-times">{times}</b>
        </CallResult>
      ) : (
        <span className="syscall-result">
          <i />
          <b className="syscall-times">{times}</b>
        </span>
      )}
      {fold.period === 1 ? <TimeOf call={call} /> : <span className="syscall-took" />}
      {fold.period === 1 ? <LineOf call={call} /> : <span className="syscall-line" />}
    </>
  );
}

const One = ({ call }: { call: CallRecord }) => (
  <>
    <Name name={call.call} />(<Pieces pieces={compact(call).args} />)
  </>
);

/** "accept4, recv ×5, nanosleep" */
function Turn({ calls }: { calls: CallRecord[] }) {
  const names: { name: string; times: number }[] = [];
  for (const { call: name } of calls) {
    const last = names.at(-1);
    if (last?.name === name) last.times++;
    else names.push({ name, times: 1 });
  }
  return names.map(({ name, times }, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a turn never change.
    <span key={i}>
      {i > 0 && ", "}
      <Name name={name} />
      {times > 1 && ` ×${times}`}
    </span>
  ));
}
