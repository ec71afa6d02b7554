// Call list. Follows the newest call until the reader scrolls up; calls that repeat are one line, which unfolds.
// It is virtual: a hundred thousand rows cost what the thirty in view cost.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type RefObject, useId, useRef, useState } from "react";
import type { CallList, RunView } from "../../../labs.ts";
import { number } from "../../format.ts";
import { revealCall } from "../../view.ts";
import type { Folds } from "./fold.ts";
import { CallListItem, rowOf } from "./Row.tsx";
import { rowHeight, useFollowing } from "./use-following.ts";
import { idOf, type Line, Visible } from "./visible.ts";

interface Props {
  program: RunView;
  calls: CallList;
  folds: Folds;
  /** Changes with every change of calls. */
  version: number;
}

export function List({ program, calls, folds, version }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set());
  const visible = new Visible(folds, unfolded);
  const { following, setFollowing, scrolled } = useFollowing(place, version, named(visible, folds));
  // An id: the line stays the same when others are taken out.
  const [chosen, setChosen] = useState<number | null>(null);
  const current = indexOf(visible, chosen);
  const id = useId();
  const virtual = useRows(place, visible.count);

  const goTo = (index: number) => {
    const to = Math.min(Math.max(index, 0), visible.count - 1);
    setChosen(idOf(visible.line(to)!, folds));
    setFollowing(to === visible.count - 1);
    virtual.scrollToIndex(to, { align: "auto" });
  };
  const unfold = (line: Line | undefined, open?: boolean) => {
    if (line?.type !== "fold" || line.open === open) return;
    const first = folds.placeOf(line.fold.first);
    const next = new Set(unfolded);
    if (!next.delete(first)) next.add(first);
    setUnfolded(next);
    setFollowing(false);
  };
  const showLine = (line: Line | undefined) => {
    const row = rowOf(line, folds, calls);
    if (row?.type === "call") revealCall(row.call);
  };
  const choose = (number: number, line: Line) => {
    setChosen(number);
    unfold(line);
    // A drag over the words selects them: the editor would take the selection away.
    if (getSelection()?.isCollapsed !== false) showLine(line);
  };
  const pageRows = () => Math.max(1, Math.floor((place.current?.clientHeight ?? 0) / rowHeight) - 1);
  const onKeyDown = treeKeys({ visible, current, pageRows, goTo, unfold, showLine });

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
        onKeyDown={onKeyDown}
      >
        <div role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(item => {
            const line = visible.line(item.index);
            if (!line) return null;
            const number = idOf(line, folds);
            return (
              <CallListItem
                key={number}
                id={`${id}-${number}`}
                line={line}
                folds={folds}
                calls={calls}
                top={item.start}
                place={item.index}
                current={item.index === current}
                program={program}
                onChoose={() => choose(number, line)}
              />
            );
          })}
        </div>
      </div>
      {!following && <AwayFromEnd calls={calls} onLatest={() => setFollowing(true)} />}
    </div>
  );
}

/** The lines by what names them. */
function named(visible: Visible, folds: Folds) {
  const idAt = (index: number) => {
    const line = visible.line(index);
    return line ? idOf(line, folds) : null;
  };
  return { thinnings: folds.thinnings, idAt, indexOf: (id: number) => visible.indexOf(id) };
}

/** The rows in view of a list that starts at its end, where the newest call is. */
function useRows(place: RefObject<HTMLDivElement | null>, count: number) {
  return useVirtualizer({
    count,
    getScrollElement: () => place.current,
    estimateSize: () => rowHeight,
    initialOffset: count * rowHeight,
    overscan: 12,
    paddingStart: 8,
    paddingEnd: 12,
  });
}

/** The index of the chosen line; null when no line is chosen, or it is no longer kept. */
function indexOf(visible: Visible, chosen: number | null): number | null {
  const found = chosen === null ? -1 : visible.indexOf(chosen);
  return found < 0 ? null : found;
}

/** Shown while the reader is not at the newest call. */
function AwayFromEnd({ calls, onLatest }: { calls: CallList; onLatest(): void }) {
  return (
    <>
      {calls.thinnings > 0 && (
        <p className="syscalls-note">
          Of older calls the page keeps those that do not repeat: {number(calls.single)} of{" "}
          {number(calls.total)} are here one by one.
        </p>
      )}
      <button type="button" className="syscalls-latest" onClick={onLatest}>
        Jump to latest
      </button>
    </>
  );
}

interface Tree {
  visible: Visible;
  /** Index of the chosen line; null when no line is chosen. */
  current: number | null;
  /** Lines that one page of the list shows. */
  pageRows(): number;
  goTo(index: number): void;
  unfold(line: Line | undefined, open?: boolean): void;
  showLine(line: Line | undefined): void;
}

/** The keys of a tree (WAI-ARIA): arrows, page up and down, home, end; Enter shows a call's line, or unfolds. */
function treeKeys({ visible, current, pageRows, goTo, unfold, showLine }: Tree) {
  const foldOf = (index: number) => {
    let at = index;
    while (at > 0 && visible.line(at)?.type !== "fold") at--;
    return at;
  };
  return (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = current ?? visible.count - 1;
    const page = pageRows();
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
}
