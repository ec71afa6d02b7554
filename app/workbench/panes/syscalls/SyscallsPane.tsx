// Syscalls pane. The program's system calls, one by one: named, folded, filtered.
import "../../../style/syscalls.css";
import { type KeyboardEvent, useMemo, useRef } from "react";
import { useStore } from "zustand";
import { sentence } from "../../../../server-labs/protocol.ts";
import { keyNames, keyOf } from "../../../keys.ts";
import type { CallList, RunView } from "../../../labs.ts";
import { goesOn } from "../../pace/driving.ts";
import type { PaneProps } from "../../pane.ts";
import { FilterBar } from "./FilterBar.tsx";
import { filter, parseFilter, setFilter } from "./filter.ts";
import { Folds } from "./fold.ts";
import { List } from "./List.tsx";
import { useCalls } from "./use-calls.ts";

export default function SyscallsPane({ program }: PaneProps) {
  const { calls, version } = useCalls(program?.run ?? null);
  if (program && calls.length > 0) {
    return <Shown key={program.run} program={program} calls={calls} version={version} />;
  }
  if (program?.untraced) {
    return (
      <div className="pane-state">
        <p>No system call that is traced.</p>
        <p className="dim">{sentence(program.untraced)}</p>
      </div>
    );
  }
  if (program?.live) {
    return (
      <div className="pane-state">
        <p>The program has asked nothing of the kernel yet.</p>
        <p className="dim">Its calls on sockets appear here as they happen.</p>
      </div>
    );
  }
  return (
    <div className="pane-state">
      <p>{program ? "This run made no system calls on sockets." : "No system calls yet."}</p>
      <p className="dim">
        Press <kbd>{keyNames.run}</kbd>: every call that your program makes on a socket is shown here as it
        happens, with what the kernel answered.
      </p>
    </div>
  );
}

function Shown({ program, calls, version }: { program: RunView; calls: CallList; version: number }) {
  const text = useStore(filter, state => state.text);
  const folds = useMemo(() => new Folds(calls, parseFilter(text)), [calls, text]);
  // Who steps wants to see each step.
  folds.follow(
    program.live && program.pace !== null && !(program.pace.mode === "full" && goesOn(program.pace)),
  );
  const field = useRef<HTMLInputElement>(null);
  const pressed = (event: KeyboardEvent) => {
    if (event.target === field.current || keyOf("calls", event.nativeEvent) !== "filter") return;
    event.preventDefault();
    field.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a key that leads from the list to its filter.
    <div className="syscalls" onKeyDown={pressed}>
      {program.untraced && (
        <p className="syscalls-untraced waiting" role="status">
          {sentence(program.untraced)}
        </p>
      )}
      <FilterBar calls={calls} shown={folds.length} field={field} />
      {folds.length > 0 ? (
        <List key={text} program={program} calls={calls} folds={folds} version={version} />
      ) : (
        <div className="pane-state">
          <p>No call that is shown one by one matches “{text.trim()}”.</p>
          <button type="button" className="button small" onClick={() => setFilter("")}>
            Clear the filter
          </button>
        </div>
      )}
    </div>
  );
}
