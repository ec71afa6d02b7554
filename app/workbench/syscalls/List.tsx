// The list of calls, which follows the newest until the reader scrolls up. A hundred thousand rows cost what the
// thirty in view cost.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { Calls, RunView } from "../../labs.ts";
import { revealLine } from "../view.ts";
import { number } from "../words.ts";
import { Row } from "./Row.tsx";
import { rowHeight, useFollowing } from "./use-following.ts";

interface Props {
  program: RunView;
  calls: Calls;
  /** Changes with every change of calls. */
  version: number;
}

export function List({ program, calls, version }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const { following, setFollowing, scrolled } = useFollowing(place, version, calls.forgotten);
  // By its place among all rows ever: it stays the same row when older ones are forgotten.
  const [chosen, setChosen] = useState<number | null>(null);
  const current = chosen === null || chosen < calls.forgotten ? null : chosen - calls.forgotten;
  const id = useId();
  const virtual = useVirtualizer({
    count: calls.length,
    getScrollElement: () => place.current,
    estimateSize: () => rowHeight,
    // It begins at its end, where the newest call is.
    initialOffset: calls.length * rowHeight,
    overscan: 12,
    paddingStart: 12,
    paddingEnd: 12,
  });

  const goTo = (row: number) => {
    const to = Math.min(Math.max(row, 0), calls.length - 1);
    setChosen(calls.forgotten + to);
    setFollowing(to === calls.length - 1);
    virtual.scrollToIndex(to, { align: "auto" });
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = current ?? calls.length - 1;
    const page = Math.max(1, Math.floor((place.current?.clientHeight ?? 0) / rowHeight) - 1);
    const to = {
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - page,
      PageDown: from + page,
      Home: 0,
      End: calls.length - 1,
    }[event.key];
    const row = calls.row(from);
    if (to !== undefined) goTo(to);
    else if (event.key === "Enter" && row?.type === "call" && row.call.line) revealLine(row.call.line);
    else return;
    event.preventDefault();
  };

  return (
    <div className="syscalls">
      <div
        className="syscalls-list"
        ref={place}
        role="listbox"
        aria-label="System calls, oldest first. Enter shows the line of a call."
        aria-activedescendant={current === null ? undefined : `${id}-${chosen}`}
        tabIndex={0}
        onScroll={scrolled}
        onKeyDown={pressed}
      >
        <div role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(item => (
            <Row
              key={calls.forgotten + item.index}
              id={`${id}-${calls.forgotten + item.index}`}
              row={calls.row(item.index)}
              top={item.start}
              place={calls.forgotten + item.index}
              current={item.index === current}
              program={program}
              onChoose={() => setChosen(calls.forgotten + item.index)}
            />
          ))}
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
