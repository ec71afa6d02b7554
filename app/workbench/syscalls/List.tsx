// The list of calls, which follows the newest until the reader scrolls up. A hundred thousand rows cost what the
// thirty in view cost. What repeats is one line, which opens.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { Calls, RunView } from "../../labs.ts";
import { revealLine } from "../view.ts";
import { number } from "../words.ts";
import type { Folds } from "./fold.ts";
import { Row, rowOf } from "./Row.tsx";
import { rowHeight, useFollowing } from "./use-following.ts";
import { idOf, type Line, Visible } from "./visible.ts";

interface Props {
  program: RunView;
  calls: Calls;
  folds: Folds;
  /** Changes with every change of calls. */
  version: number;
}

export function List({ program, calls, folds, version }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const { following, setFollowing, scrolled } = useFollowing(place, version, folds.dropped);
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set());
  const visible = new Visible(folds, unfolded);
  // By its number: it stays the same line when older ones are forgotten.
  const [chosen, setChosen] = useState<number | null>(null);
  const found = chosen === null ? -1 : visible.indexOf(chosen);
  const current = found < 0 ? null : found;
  const id = useId();
  const virtual = useVirtualizer({
    count: visible.count,
    getScrollElement: () => place.current,
    estimateSize: () => rowHeight,
    // It begins at its end, where the newest call is.
    initialOffset: visible.count * rowHeight,
    overscan: 12,
    paddingStart: 8,
    paddingEnd: 12,
  });

  const goTo = (index: number) => {
    const to = Math.min(Math.max(index, 0), visible.count - 1);
    setChosen(idOf(visible.line(to)!, folds));
    setFollowing(to === visible.count - 1);
    virtual.scrollToIndex(to, { align: "auto" });
  };
  const unfold = (line: Line | undefined, open?: boolean) => {
    if (line?.type !== "fold" || line.open === open) return;
    const { first } = line.fold;
    const next = new Set(unfolded);
    if (!next.delete(first)) next.add(first);
    setUnfolded(next);
    setFollowing(false);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = current ?? visible.count - 1;
    const page = Math.max(1, Math.floor((place.current?.clientHeight ?? 0) / rowHeight) - 1);
    const to = {
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - page,
      PageDown: from + page,
      Home: 0,
      End: visible.count - 1,
    }[event.key];
    const line = visible.line(from);
    if (to !== undefined) goTo(to);
    else if (event.key === "ArrowRight") unfold(line, true);
    else if (event.key === "ArrowLeft" && line?.type === "row" && line.inside) goTo(foldOf(from));
    else if (event.key === "ArrowLeft") unfold(line, false);
    else if (event.key === "Enter" && line?.type === "fold") unfold(line);
    else if (event.key === "Enter") showLine(line);
    else return;
    event.preventDefault();
  };
  const foldOf = (index: number) => {
    let at = index;
    while (at > 0 && visible.line(at)?.type !== "fold") at--;
    return at;
  };
  const showLine = (line: Line | undefined) => {
    const row = rowOf(line, folds, calls);
    if (row?.type === "call" && row.call.line) revealLine(row.call.line);
  };

  return (
    <div className="syscalls-body">
      <div
        className="syscalls-list"
        ref={place}
        role="tree"
        aria-label="System calls, oldest first. Enter shows the line of a call, or unfolds."
        aria-activedescendant={current === null ? undefined : `${id}-${idOf(visible.line(current)!, folds)}`}
        tabIndex={0}
        onScroll={scrolled}
        onKeyDown={pressed}
      >
        <div role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(item => {
            const line = visible.line(item.index);
            if (!line) return null;
            const number = idOf(line, folds);
            return (
              <Row
                key={number}
                id={`${id}-${number}`}
                line={line}
                folds={folds}
                calls={calls}
                top={item.start}
                place={folds.dropped + item.index}
                current={item.index === current}
                program={program}
                onChoose={() => {
                  setChosen(number);
                  unfold(line);
                }}
              />
            );
          })}
        </div>
      </div>
      {calls.forgotten > 0 && !following && (
        <p className="syscalls-note">The page keeps the newest {number(calls.length)} rows.</p>
      )}
      {!following && (
        <button type="button" className="syscalls-latest" onClick={() => setFollowing(true)}>
          Jump to latest
        </button>
      )}
    </div>
  );
}
