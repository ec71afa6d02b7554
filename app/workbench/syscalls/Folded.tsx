// Calls that repeat, as one line: the call with how often, or the turn of a loop with how many turns.
import type { Syscall } from "../../../server-labs/protocol.ts";
import { number } from "../words.ts";
import { Answer, LineOf, Result } from "./Call.tsx";
import { compact, inStrace } from "./compact.ts";
import { type Fold, type Folds, rowsOf } from "./fold.ts";
import { Name, Pieces } from "./Pieces.tsx";

/** Only the newest rows of a fold may be kept: those of a turn are asked for from its end. */
function turnOf({ first, period, turns }: Fold, folds: Folds): Syscall[] {
  const last = first + period * (turns - 1);
  return Array.from({ length: period }, (_, i) => folds.row(last + i)?.row).flatMap(row =>
    row?.type === "call" ? [row.call] : [],
  );
}

export function Folded({ fold, folds, open }: { fold: Fold; folds: Folds; open: boolean }) {
  const calls = turnOf(fold, folds);
  const [call] = calls;
  if (!call) return null;
  const first = folds.row(fold.first)?.row;
  const at = first?.type === "call" ? first.call.at : call.at;
  const times = fold.period === 1 ? `×${number(rowsOf(fold))}` : `×${number(fold.turns)} turns`;
  const title = `${calls.map(inStrace).join("\n")}\n${times}${open ? "" : " · click to unfold"}`;
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
        <Result call={call}>
          <Answer call={call} />
          <b className="syscall-times">{times}</b>
        </Result>
      ) : (
        <span className="syscall-result">
          <i />
          <b className="syscall-times">{times}</b>
        </span>
      )}
      <LineOf line={fold.period === 1 ? call.line : null} />
    </>
  );
}

const One = ({ call }: { call: Syscall }) => (
  <>
    <Name name={call.name} />(<Pieces pieces={compact(call).args} />)
  </>
);

/** "accept4, recv ×5, nanosleep" */
function Turn({ calls }: { calls: Syscall[] }) {
  const names: { name: string; times: number }[] = [];
  for (const { name } of calls) {
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
